"""The site key: what is refused, and a change of it killed before every single step."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from tests.test_cli import DROP, ROOT, hedui
from verify import Home, init_home
from verify.key_files import make_key, read_key
from verify.keys import SiteKey, data_key, read_line, ring_of, site_keys, use
from verify.problems import HeduiError, IntegrityError
from verify.rotation import create_key, key_status, rotate
from verify.settings import key_place, tables_of
from verify.store import read_frame, write_frame
from verify.store_files import digest_of


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with a batch and a published table."""
    made = init_home(tmp_path / "home")
    (made.nights / "20261120-aaaaaaaa").mkdir()
    for path in (made.archive / "b.parquet", made.archive / "b.counts.parquet", made.nights / "20261120-aaaaaaaa" / "t.parquet"):
        write_frame(pl.DataFrame({"name": [path.name]}), path)
    return made


def refusal(call: Callable[[], object]) -> tuple[str, int]:
    """The code and the exit code of what a call refuses."""
    with pytest.raises(HeduiError) as told:
        call()
    return told.value.problems[0].code, told.value.exit_code


def id_of(path: Path) -> str:
    return read_line(path, ring_of(path))[0]


# --- the key file -----------------------------------------------------------------------------------------------------


def test_a_new_home_has_a_key_beside_it_that_only_its_owner_reads(tmp_path: Path) -> None:
    os.umask(0o077)
    said = hedui("init", tmp_path / "h", "--lang", "en")
    key = tmp_path / "h.key"
    assert f"{key}. Keep a copy elsewhere" in " ".join(said.stdout.split())
    assert (key.stat().st_mode & 0o777, key.stat().st_size) == (0o400, 32)
    before = key.read_bytes()
    assert hedui("init", tmp_path / "h").returncode == 0
    assert key.read_bytes() == before
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("mode", [0o440, 0o404, 0o600, 0o444])
def test_a_key_that_others_may_read_is_refused(home: Home, mode: int) -> None:
    key_place(home).path.chmod(mode)
    use(home)
    assert refusal(lambda: read_frame(home.archive / "b.parquet")) == ("E-KEY-OPEN", 13)
    said = hedui("night", "--home", home.folder, "--drop", DROP)
    assert (said.returncode, said.stdout, said.stderr[:10]) == (13, "", "E-KEY-OPEN")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_key_of_another_user_is_refused(home: Home) -> None:
    os.chown(key_place(home).path, 12345, -1)
    assert refusal(lambda: site_keys(home)) == ("E-KEY-OPEN", 13)


def test_what_is_no_key_file_is_refused(home: Home, tmp_path: Path) -> None:
    path = key_place(home).path
    elsewhere = path.rename(tmp_path / "elsewhere")
    assert refusal(lambda: site_keys(home)) == ("E-KEY-NONE", 13)
    path.symlink_to(elsewhere)
    assert refusal(lambda: site_keys(home)) == ("E-KEY-FORM", 13)
    path.unlink()
    os.mkfifo(path)
    assert refusal(lambda: site_keys(home)) == ("E-KEY-FORM", 13)
    path.unlink()
    path.write_bytes(elsewhere.read_bytes() + b"\n")
    path.chmod(0o400)
    assert refusal(lambda: site_keys(home)) == ("E-KEY-FORM", 13)


def test_a_key_inside_the_home_is_refused(home: Home) -> None:
    home.config.write_text('site_key = "site.key"\n', encoding="utf-8")
    assert refusal(lambda: key_place(home)) == ("E-KEY-INSIDE", 13)


def test_a_wrong_key_opens_nothing_and_is_named_by_its_id(home: Home) -> None:
    path = key_place(home).path
    right = SiteKey(read_key(path)).id
    path.unlink()
    make_key(path)
    use(home)
    said = hedui("night", "--home", home.folder, "--drop", DROP, "--lang", "en")
    assert (said.returncode, said.stdout) == (13, "")
    assert said.stderr.startswith("E-KEY-WRONG")
    assert right in said.stderr
    assert SiteKey(read_key(path)).id in said.stderr
    assert refusal(lambda: rotate(home)) == ("E-KEY-WRONG", 13)
    assert not key_place(home).coming.exists()
    path.unlink()
    assert refusal(lambda: create_key(home)) == ("E-KEY-WRONG", 13)


def test_a_key_is_never_overwritten_and_never_torn(home: Home, tmp_path: Path) -> None:
    assert refusal(lambda: make_key(key_place(home).path)) == ("E-KEY-THERE", 2)
    assert refusal(lambda: make_key(tmp_path / "nowhere" / "k")) == ("E-KEY-MAKE", 2)
    assert "E-KEY-THERE" in hedui("key", "create", "--home", home.folder).stderr


def test_no_word_of_the_key_is_shown(home: Home) -> None:
    key = key_place(home).path.read_bytes()
    for words in (("key", "status"), ("key", "status", "--json"), ("key", "rotate"), ("config", "show")):
        said = hedui(*words, "--home", home.folder)
        assert said.returncode == 0, said.stderr
        assert key.hex()[:8] not in said.stdout + said.stderr
    assert "material" not in repr(SiteKey(key))


def test_a_credential_of_systemd(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home.config.write_text('site_key = "credential"\n', encoding="utf-8")
    use(home)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert refusal(lambda: read_frame(home.archive / "b.parquet")) == ("E-KEY-NONE", 13)
    given = tmp_path / "credentials"
    given.mkdir()
    credential = (tmp_path / "home.key").rename(given / "hedui-site-key")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(given))
    credential.chmod(0o440)  # an access list for the service shows as the group's bits
    assert read_frame(home.archive / "b.parquet")["name"].item() == "b.parquet"
    assert refusal(lambda: create_key(home)) == ("E-KEY-CREDENTIAL", 2)
    changed = rotate(home)
    assert changed.credential
    assert changed.path == tmp_path / "home.key.new"
    assert key_status(home).coming == changed.key
    assert rotate(home).key == changed.key, "until systemd hands the new one over nothing more happens"
    credential.unlink()
    credential.write_bytes(changed.path.read_bytes())
    credential.chmod(0o400)
    assert not rotate(home).credential
    assert not changed.path.exists()
    use(home)
    assert {id_of(path) for path in tables_of(home)} == {changed.key}
    credential.chmod(0o404)
    assert refusal(lambda: site_keys(home)) == ("E-KEY-OPEN", 13)


# --- changing it ------------------------------------------------------------------------------------------------------


def test_a_changed_key_opens_everything_and_rewrites_no_data(home: Home) -> None:
    tables = tables_of(home)
    data, digests, keys = [[f(path) for path in tables] for f in (Path.read_bytes, digest_of, data_key)]  # type: ignore[operator]
    before = key_status(home).key
    changed = rotate(home)
    assert (changed.before, changed.files) == (before, 3)
    assert changed.key != before
    assert [[f(path) for path in tables] for f in (Path.read_bytes, digest_of, data_key)] == [data, digests, keys]  # type: ignore[operator]
    assert key_status(home).files == {changed.key: 3}
    assert not key_place(home).coming.exists()


def test_whoever_reads_while_the_key_is_changed_reads_on(home: Home) -> None:
    path = home.archive / "b.parquet"
    read_frame(path)
    assert hedui("key", "rotate", "--home", home.folder).returncode == 0  # by another process
    assert read_frame(path)["name"].item() == "b.parquet"
    write_frame(pl.DataFrame({"name": ["later"]}), home.archive / "c.parquet")
    assert id_of(home.archive / "c.parquet") == key_status(home).key


def test_one_file_that_does_not_open_stops_the_change_before_it_begins(home: Home) -> None:
    (home.archive / "b.parquet.key").unlink()
    assert refusal(lambda: rotate(home)) == ("E-SEAL-NONE", 13)
    assert not key_place(home).coming.exists()
    assert key_status(home).files == {key_status(home).key: 2}


KILLED = """
import os, shutil, sys
from pathlib import Path
sys.dont_write_bytecode = True
from verify.keys import _RINGS, SiteKey, data_key, read_line, ring_of
from verify.key_files import read_key
from verify.rotation import create_key, key_status, rotate
from verify.settings import Home, key_place, tables_of
from verify.store_files import is_plain
pristine, place, act = Path(sys.argv[1]), Path(sys.argv[2]), {'rotate': rotate, 'create': create_key}[sys.argv[3]]
STEPS = ('os.rename', 'os.link', 'os.remove', 'open', 'os.mkdir', 'shutil.rmtree')
limit = seen = 0

def die(event, args):
    global seen
    if limit and event in STEPS and str(place) in str(args):
        seen += 1
        if seen == limit:
            os._exit(9)

sys.addaudithook(die)

def run(what):  # in a process of its own, as a command would be
    child = os.fork()
    if not child:
        try:
            what()
        except BaseException as error:
            print('failed', error, file=sys.stderr)
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

def whole():  # every file opens for whoever reads now, or is still what the older program wrote
    home = Home(place / 'home')
    for path in tables_of(home):
        if act is rotate or not is_plain(path):
            if act is create_key and not key_place(home).path.exists():
                continue  # made on the way; the next run goes on with it
            data_key(path)

def done():
    home = Home(place / 'home')
    status = key_status(home)
    assert status.files == {status.key: 3} and not status.wrong and not status.coming, status
    assert not list(place.rglob('*.part')) and not key_place(home).coming.exists()
    assert (pristine / 'home.key').exists() is (act is rotate)
    if act is rotate:
        assert SiteKey(read_key(pristine / 'home.key')).id != status.key

for at in range(1, 1000):
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(pristine, place)
    limit, _ = at, _RINGS.clear()
    ended = run(lambda: act(Home(place / 'home')))
    limit = 0
    assert run(whole) == 0, f'after a kill before step {at}'
    if ended == 0:
        break
    assert ended == 9, ended
    assert run(lambda: act(Home(place / 'home'))) == 0 or (act is create_key and run(done) == 0), f'again after step {at}'
    assert run(done) == 0, f'done after step {at}'
print(at - 1)
"""


def steps_killed(pristine: Path, place: Path, act: str) -> int:
    said = subprocess.run([sys.executable, "-c", KILLED, str(pristine), str(place), act], cwd=ROOT, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr[-3000:]
    return int(said.stdout)


def test_a_change_killed_before_any_step_is_finished_by_the_next(home: Home, tmp_path: Path) -> None:
    assert steps_killed(home.folder.parent, tmp_path.parent / f"{tmp_path.name}-killed", "rotate") > 20


def test_encrypting_an_older_home_killed_before_any_step_is_finished_by_the_next(home: Home, tmp_path: Path) -> None:
    for path in tables_of(home):
        path.with_name(path.name + ".key").unlink()
        pl.DataFrame({"name": [path.name]}).write_parquet(path)
    key_place(home).path.unlink()
    assert steps_killed(home.folder.parent, tmp_path.parent / f"{tmp_path.name}-killed", "create") > 20


def test_a_change_while_a_night_runs_is_refused(home: Home) -> None:
    import fcntl  # noqa: PLC0415

    with home.lock.open("a", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert refusal(lambda: rotate(home)) == ("E-LOCKED", 11)


def test_a_line_of_rubbish_is_no_key(home: Home) -> None:
    for text in ("", "hedui-data-key-1 xyz\n", "é", "hedui-data-key-1 " + "0" * 8 + " " + "0" * 112 + "\nmore\n"):
        (home.archive / "b.parquet.key").write_text(text, encoding="utf-8")
        with pytest.raises(IntegrityError, match="E-SEAL-BROKEN"):
            data_key(home.archive / "b.parquet")
