-- What officers have decided of pairs, held against tonight's rows. Tables here: all_said, all_faces (from faces.py), people,
-- decided, register_void, known_people (from identities.sql); pair_marks: by what each standing decision knows its row and its person.

-- name: nothing
CREATE OR REPLACE TABLE pair_marks (number BIGINT, what VARCHAR, extract VARCHAR, side VARCHAR, name_key VARCHAR, former_key VARCHAR, id_key VARCHAR, birth DATE,
  sex VARCHAR, household VARCHAR, document VARCHAR, row_key VARCHAR, person_name VARCHAR, person_id VARCHAR, person_id_valid BOOLEAN, case_id VARCHAR, held BOOLEAN);
CREATE OR REPLACE TABLE decided_rows (number BIGINT, extract VARCHAR, file VARCHAR, row INTEGER, side VARCHAR);
CREATE OR REPLACE TABLE officers_rows (pno BIGINT, rid BIGINT, ident VARCHAR);
CREATE OR REPLACE TABLE barred (pno BIGINT, rid BIGINT);
CREATE OR REPLACE TABLE held (number BIGINT, what VARCHAR, extract VARCHAR, file VARCHAR, row INTEGER, side VARCHAR, pno BIGINT, ident VARCHAR);
CREATE OR REPLACE TABLE taken (extract VARCHAR, file VARCHAR, row INTEGER, side VARCHAR, ident VARCHAR)

-- name: rows_of_marks
SELECT m.number, s.extract, s.file, s.row, s.side
FROM pair_marks m
JOIN all_faces f ON f.extract = m.extract AND f.name_key IS NOT DISTINCT FROM m.name_key AND f.former_key IS NOT DISTINCT FROM m.former_key
 AND f.id_key IS NOT DISTINCT FROM m.id_key AND f.sex IS NOT DISTINCT FROM m.sex
 AND f.birth IS NOT DISTINCT FROM CASE WHEN m.birth <= getvariable('as_of') AND m.birth > getvariable('as_of') - INTERVAL 130 YEAR THEN m.birth END
JOIN all_said s ON s.fno = f.fno AND s.side = m.side AND s.household IS NOT DISTINCT FROM m.household AND s.document IS NOT DISTINCT FROM m.document
ORDER BY m.number, s.extract, s.file, s.row, s.side

-- name: void
-- Must-links that would make a row two people's, or that a cannot-link of the same person denies. What the night itself held
-- is not asked again when one case is worked out without the others.
WITH d AS (SELECT d.*, k.ident FROM decided d JOIN known_people k USING (pno)), same AS (FROM d WHERE what = 'same')
SELECT DISTINCT number FROM same a WHERE number NOT IN (SELECT number FROM pair_marks WHERE held) AND (
  EXISTS (SELECT 1 FROM same b WHERE (b.extract, b.file, b.row, b.side) = (a.extract, a.file, a.row, a.side) AND b.ident <> a.ident)
  OR EXISTS (SELECT 1 FROM d b WHERE b.what = 'other' AND (b.extract, b.file, b.row, b.side) = (a.extract, a.file, a.row, a.side) AND b.ident = a.ident))
UNION
FROM register_void

-- name: held
SELECT d.number, d.what, d.extract, d.file, d.row, d.side, d.pno, k.ident FROM decided d JOIN known_people k USING (pno)
WHERE d.number NOT IN (FROM void)

-- name: taken
-- Rows that are somebody's by decision, and whose; NULL for somebody who is not among those worked out.
SELECT DISTINCT extract, file, row, side, ident FROM held WHERE what = 'same'
UNION
SELECT r.extract, r.file, r.row, r.side, NULL FROM decided_rows r JOIN pair_marks m USING (number)
WHERE m.held AND m.what = 'same' AND r.number NOT IN (SELECT number FROM held)

-- name: told
-- A line for each decision and each row and person it is about; without them where it has nothing to hold on tonight.
SELECT m.number, m.extract AS decided_of, m.what,
       CASE WHEN d.number IS NULL THEN 'idle' WHEN m.number IN (FROM void) THEN 'conflict' ELSE 'held' END AS state,
       d.extract, d.file, d.row, d.side, p.case_id, p.member_no
FROM pair_marks m LEFT JOIN decided d USING (number) LEFT JOIN people p USING (pno)
ORDER BY m.number, d.extract, d.file, d.row, d.side, p.case_id, p.member_no
