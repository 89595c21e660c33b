-- Which row speaks of which person. Tables here: all_said, all_faces (from faces.py); people, person_rows, person_ids, doubtful_ids, known_people,
-- person_names, crowd, households, family (from identities.py); name_grades; linkable(extract, freely).
-- A face is what a row says of somebody; many rows have one face, and all but joint documents is decided by the face. The
-- same face in two extracts is two faces here: it is judged alike.

-- name: faces
SELECT * EXCLUDE (extract) FROM all_faces WHERE extract IN (SELECT extract FROM linkable)

-- name: kin_ids
-- Valid IDs of the roster's people and of their families, to hold invalid IDs against.
SELECT DISTINCT id_key, id_state FROM (FROM (SELECT id_key, id_state FROM person_ids) UNION ALL SELECT id_key, id_state FROM family)
WHERE id_state = 'valid18'

-- name: bad_faces
SELECT DISTINCT id_key, id_state FROM faces WHERE id_state = 'invalid'

-- name: good_or_bad_faces
SELECT DISTINCT id_key, id_state FROM faces WHERE id_state IN ('valid18', 'invalid')

-- name: to_tell_apart
-- Invalid IDs that could be the slip of somebody else's: near one of the family's, or beside a person's name.
SELECT DISTINCT a AS id_key, 'invalid' AS id_state FROM near_kin
UNION
SELECT f.id_key, 'invalid' FROM faces f JOIN person_names n ON n.name_key = f.name_key WHERE f.id_state = 'invalid'

-- name: names_of_near_crowd
SELECT f.name_key, c.name_key FROM faces f JOIN near_crowd n ON n.a = f.id_key JOIN crowd c ON c.id_key = n.b

-- name: hits
-- Every face that anything ties to a person, and by what.
SELECT f.fno, i.pno, 'exact_id' AS hit FROM faces f JOIN person_ids i ON f.id_key = i.id_key WHERE f.id_state = 'valid18'
UNION
SELECT f.fno, i.pno, 'exact_id15' FROM faces f JOIN person_ids i ON f.id15 = i.id15 WHERE 'valid15' IN (f.id_state, i.id_state)
UNION
SELECT f.fno, i.pno, 'doubtful_id' FROM faces f JOIN doubtful_ids i ON f.id_key = i.id_key
UNION
SELECT f.fno, i.pno, 'near_doubtful' FROM faces f JOIN near_doubtful n ON f.id_key = n.a JOIN doubtful_ids i ON i.id_key = n.b
UNION
SELECT f.fno, k.pno, 'name_birth_sex' FROM faces f JOIN compared_apart k ON f.birth = k.birth AND f.sex = k.sex WHERE f.id_state IN ('none', 'invalid')
UNION
SELECT f.fno, k.pno, 'name_birth' FROM faces f JOIN compared_apart k ON f.birth = k.birth
WHERE f.id_state IN ('none', 'invalid') AND (f.sex IS NULL OR k.sex IS NULL)
UNION
SELECT f.fno, k.pno, CASE WHEN f.sex = k.sex THEN 'name_birth_sex' ELSE 'name_birth' END FROM faces f JOIN compared_crowd k ON f.birth = k.birth AND f.name_key = k.name_key
WHERE f.id_state IN ('none', 'invalid') AND coalesce(f.sex = k.sex, TRUE)
UNION
SELECT f.fno, y.pno, 'family_id' FROM faces f JOIN family y ON f.id_key = y.id_key
WHERE f.id_state = 'valid18' AND NOT EXISTS (SELECT 1 FROM person_ids i WHERE i.pno = y.pno AND i.id_key = f.id_key)
UNION
SELECT f.fno, y.pno, 'family_id' FROM faces f JOIN family y ON f.id15 = y.id15
WHERE 'valid15' IN (f.id_state, y.id_state) AND NOT EXISTS (SELECT 1 FROM person_ids i WHERE i.pno = y.pno AND i.id15 = f.id15)

-- name: hits_near_kin
SELECT f.fno, i.pno, 'corrected_id' FROM faces f JOIN near_kin n ON f.id_key = n.a JOIN person_ids i ON i.id_key = n.b
UNION
SELECT f.fno, y.pno, 'family_id' FROM faces f JOIN near_kin n ON f.id_key = n.a JOIN family y ON y.id_key = n.b
WHERE NOT EXISTS (SELECT 1 FROM near_kin m JOIN person_ids i ON i.id_key = m.b WHERE m.a = f.id_key AND i.pno = y.pno)

-- name: compared
-- Birth date and sex by which a person is told apart.
SELECT pno, ident, coalesce(register_birth, declared_birth) AS birth, coalesce(register_sex, declared_sex) AS sex FROM known_people

-- name: names_of_hits
SELECT f.name_key, n.name_key FROM hits h JOIN faces f USING (fno) JOIN person_names n USING (pno) WHERE NOT n.former

-- name: graded_hits
-- `grade` is 9 where the face has no name; `better` says that the name is exactly that of another of the family,
-- `other_data` that a face without a name has another birth date or sex.
WITH g AS (
  SELECT h.fno, h.pno, max(CASE WHEN f.name_key IS NULL THEN 9 WHEN n.name_key = f.name_key AND NOT n.former THEN 4
                                WHEN n.name_key IN (f.name_key, f.former_key) THEN 3 WHEN n.former THEN 0
                                ELSE coalesce(x.grade, 0) END) AS grade,
         max(x.how) FILTER (WHERE x.grade = 2 AND NOT n.former) AS slip, max(x.how) FILTER (WHERE x.grade = 1 AND NOT n.former) AS damage
  FROM (SELECT DISTINCT fno, pno FROM hits) h JOIN faces f USING (fno) JOIN person_names n USING (pno)
  LEFT JOIN name_grades x ON x.a = least(f.name_key, n.name_key) AND x.b = greatest(f.name_key, n.name_key)
  GROUP BY h.fno, h.pno
), b AS (
  SELECT DISTINCT h.fno, h.pno FROM hits h JOIN faces f USING (fno) JOIN family y ON y.pno = h.pno AND y.name_key = f.name_key
)
SELECT h.fno, h.pno, h.hit, k.ident,
       CASE WHEN g.grade = 0 AND f.name_key = f.former_key THEN 1 ELSE g.grade END AS grade,
       g.grade < 4 AND b.fno IS NOT NULL AS better, g.grade = 9 AND (f.birth <> k.birth OR f.sex <> k.sex) IS TRUE AS other_data,
       CASE g.grade WHEN 9 THEN 'name_absent' WHEN 4 THEN 'name_equal' WHEN 3 THEN 'name_former' WHEN 2 THEN g.slip
                    WHEN 1 THEN g.damage ELSE 'name_foreign' END AS name_reason
FROM hits h JOIN g USING (fno, pno) JOIN faces f USING (fno) JOIN compared k USING (pno) LEFT JOIN b ON b.fno = h.fno AND b.pno = h.pno

-- name: names_of_conflicts
-- A name that is not the person's may yet be one slip from that of somebody of the family, or of an ID's holder.
SELECT f.name_key, y.name_key FROM graded_hits h JOIN faces f USING (fno) JOIN family y USING (pno)
WHERE (h.hit IN ('exact_id', 'exact_id15') AND h.grade < 2) OR (h.hit = 'family_id' AND h.grade BETWEEN 2 AND 4)

-- name: rivals_wanted
-- Whom else of the crowd a face could be: near its invalid ID, or of its birth date and sex.
SELECT DISTINCT h.fno, h.hit, c.rid FROM graded_hits h JOIN faces f USING (fno) JOIN near_crowd n ON n.a = f.id_key JOIN crowd c ON c.id_key = n.b
WHERE h.hit = 'corrected_id' AND h.grade >= 2
UNION
SELECT DISTINCT h.fno, h.hit, c.rid FROM graded_hits h JOIN faces f USING (fno) JOIN crowd c ON c.born = f.birth AND (c.gender = f.sex OR c.gender IS NULL)
WHERE h.hit = 'name_birth_sex' AND h.grade >= 2

-- name: names_of_rivals
SELECT f.name_key, c.name_key FROM rivals_wanted r JOIN faces f USING (fno) JOIN crowd c USING (rid) WHERE r.hit <> 'corrected_id'

-- name: rivals
-- Every person, of the crowd or of the roster, whom the face fits by the same evidence with a name that agrees.
SELECT DISTINCT r.fno, r.hit, c.ident FROM rivals_wanted r JOIN faces f USING (fno) JOIN crowd c USING (rid)
LEFT JOIN name_grades x ON x.a = least(f.name_key, c.name_key) AND x.b = greatest(f.name_key, c.name_key)
WHERE f.name_key IS NULL OR f.name_key IN (c.name_key, c.former_key) OR x.grade >= 2
UNION
SELECT DISTINCT fno, hit, ident FROM graded_hits WHERE grade >= 2

-- name: verdicts_by_id
-- An equal ID: theirs where the name agrees or is absent; grey where it is damaged or fits another of the family better.
-- A foreign name is a conflict, and rejected; but on a night that knows no register nobody can say that it is no former name.
WITH owners AS (SELECT fno, count(DISTINCT ident) AS n FROM graded_hits WHERE hit IN ('exact_id', 'exact_id15') GROUP BY fno
), kin AS (
  SELECT DISTINCT h.fno, h.pno FROM graded_hits h JOIN faces f USING (fno) JOIN family y USING (pno)
  JOIN name_grades x ON x.a = least(f.name_key, y.name_key) AND x.b = greatest(f.name_key, y.name_key) WHERE x.grade >= 2
)
SELECT h.fno, h.pno,
       CASE WHEN h.grade = 9 THEN CASE WHEN o.n = 1 AND NOT h.other_data THEN 'accepted' ELSE 'review' END
            WHEN h.grade >= 2 AND NOT h.better THEN 'accepted'
            WHEN h.grade >= 2 OR (h.grade = 1 AND NOT h.better) THEN 'review'
            WHEN h.better OR EXISTS (SELECT 1 FROM crowd) THEN 'rejected' ELSE 'review' END AS status,
       CASE WHEN h.grade >= 2 AND NOT h.better THEN h.hit WHEN h.grade >= 2 OR (h.grade = 1 AND NOT h.better) THEN 'id_damaged_name'
            WHEN h.better THEN 'family_id' ELSE 'identity_conflict' END AS method,
       list_filter([h.hit, h.name_reason, CASE WHEN h.better OR kin.fno IS NOT NULL THEN 'name_of_family' END,
                    CASE WHEN h.grade < 2 THEN CASE WHEN f.birth IS NULL THEN 'no_birth' WHEN k.birth IS NULL THEN 'birth_unknown'
                                                    WHEN f.birth = k.birth THEN 'birth_equal' ELSE 'birth_differs' END END],
                   lambda r: r IS NOT NULL) AS reasons, h.name_reason
FROM graded_hits h JOIN owners o USING (fno) JOIN faces f USING (fno) JOIN compared k USING (pno)
LEFT JOIN kin ON kin.fno = h.fno AND kin.pno = h.pno
WHERE h.hit IN ('exact_id', 'exact_id15')

-- name: verdicts_by_rivals
-- An invalid ID one slip away, or name with birth date and sex: theirs where nobody else fits, else grey. On a night that
-- knows no register nobody can say that no other person shares name, birth date and sex.
WITH n AS (SELECT fno, hit, count(DISTINCT ident) AS fitting FROM rivals GROUP BY fno, hit)
SELECT h.fno, h.pno,
       CASE WHEN n.fitting = 1 AND NOT h.better AND NOT h.other_data AND (h.hit = 'corrected_id' OR EXISTS (SELECT 1 FROM crowd)) THEN 'accepted'
            ELSE 'review' END AS status, h.hit AS method,
       list_filter([h.hit, h.name_reason, CASE WHEN n.fitting > 1 THEN 'others_fit' END, CASE WHEN h.better THEN 'name_of_family' END], lambda r: r IS NOT NULL) AS reasons,
       h.name_reason
FROM graded_hits h JOIN n USING (fno, hit)
WHERE h.grade >= 2 AND (h.hit = 'corrected_id' OR (h.hit = 'name_birth_sex' AND h.grade < 9))

-- name: verdicts_grey
-- Compatible on everything present, with the name and one more datum that ties: an ID that fails its check, a birth date.
SELECT fno, pno, 'review' AS status, hit AS method, [hit, name_reason] AS reasons, name_reason FROM graded_hits
WHERE hit IN ('doubtful_id', 'near_doubtful', 'name_birth') AND grade BETWEEN 2 AND 4

-- name: verdicts_by_family
-- The name with the ID of another of the case or the household, unless the name is as much the holder's own.
SELECT DISTINCT h.fno, h.pno, 'review' AS status, 'name_family_id' AS method, ['family_id', h.name_reason] AS reasons, h.name_reason
FROM graded_hits h JOIN faces f USING (fno)
WHERE h.hit = 'family_id' AND h.grade BETWEEN 2 AND 4 AND NOT h.better
  AND NOT EXISTS (
    SELECT 1 FROM family i JOIN family y ON y.pno = i.pno AND y.ident = i.ident
    JOIN name_grades x ON x.a = least(f.name_key, y.name_key) AND x.b = greatest(f.name_key, y.name_key)
    WHERE i.pno = h.pno AND (i.id_key = f.id_key OR i.id15 = f.id15 OR EXISTS (SELECT 1 FROM near_kin n WHERE n.a = f.id_key AND n.b = i.id_key))
      AND x.grade >= 2 AND h.grade < 4)

-- name: verdicts_of_namesakes
-- Leads: the name alone, and the same name and birth date under another valid ID. An invalid ID one slip from that of a
-- namesake of the register is the namesake's. A name that many of the roster bear leads nowhere.
WITH of_others AS (
  SELECT f.fno FROM faces f JOIN near_crowd n ON n.a = f.id_key JOIN crowd c ON c.id_key = n.b
  LEFT JOIN name_grades x ON x.a = least(f.name_key, c.name_key) AND x.b = greatest(f.name_key, c.name_key)
  WHERE f.name_key IN (c.name_key, c.former_key) OR x.grade >= 2
)
SELECT DISTINCT f.fno, n.pno, 'rejected' AS status, 'name_only' AS method,
       CASE f.id_state WHEN 'none' THEN ['name_only'] ELSE ['name_only', 'id_unusable'] END AS reasons, 'name_equal' AS name_reason
FROM faces f JOIN names_apart n ON n.name_key = f.name_key
WHERE f.id_state IN ('none', 'invalid') AND f.birth IS NULL AND f.fno NOT IN (FROM of_others)
UNION ALL
SELECT DISTINCT f.fno, n.pno, 'rejected', 'other_id', ['other_id', 'birth_equal'], 'name_equal'
FROM faces f JOIN names_apart n ON n.name_key = f.name_key
JOIN person_ids i ON i.pno = n.pno AND i.id_key <> f.id_key AND i.id15 IS DISTINCT FROM f.id15
JOIN compared k ON k.pno = n.pno AND k.birth = f.id_birth
WHERE f.id_state IN ('valid18', 'valid15') AND NOT n.former

-- name: verdicts
-- With what the face's birth date and sex say beside the person's.
SELECT DISTINCT v.*, CASE WHEN (f.birth = k.birth) IS NULL THEN 'nothing' WHEN f.birth = k.birth THEN 'equal' ELSE 'other' END AS birth_says,
       CASE WHEN (f.sex = k.sex) IS NULL THEN 'nothing' WHEN f.sex = k.sex THEN 'equal' ELSE 'other' END AS sex_says
FROM (FROM by_id UNION ALL FROM by_rivals UNION ALL FROM grey UNION ALL FROM by_family UNION ALL FROM namesakes) v
JOIN faces f USING (fno) JOIN compared k USING (pno)

-- name: said_by_faces
-- Rows of joint documents, with the face each has.
SELECT m.extract, m.file, m.row, m.side, m.document, f.* EXCLUDE (birth) FROM all_said m JOIN faces f USING (fno) WHERE m.document IS NOT NULL

-- name: document_anchors
-- Documents with a side or row that is known to be somebody's: of the roster, or of the register by an equal ID.
SELECT d.extract, d.file, d.row, d.side, d.document, k.ident, k.case_id, NULL::VARCHAR AS household
FROM documents d JOIN verdicts v USING (fno) JOIN known_people k USING (pno)
ANTI JOIN held h ON h.extract = d.extract AND h.file = d.file AND h.row = d.row AND h.side = d.side AND h.pno = v.pno
WHERE v.status = 'accepted'
UNION
SELECT d.extract, d.file, d.row, d.side, d.document, h.ident, k.case_id, NULL
FROM documents d JOIN held h ON h.extract = d.extract AND h.file = d.file AND h.row = d.row AND h.side = d.side JOIN known_people k USING (pno)
WHERE h.what = 'same'
UNION
SELECT d.extract, d.file, d.row, d.side, d.document, c.ident, NULL, c.household
FROM documents d JOIN crowd c ON c.id_key = d.id_key
LEFT JOIN name_grades x ON x.a = least(d.name_key, c.name_key) AND x.b = greatest(d.name_key, c.name_key)
ANTI JOIN held h ON h.extract = d.extract AND h.file = d.file AND h.row = d.row AND h.side = d.side AND h.ident = c.ident AND h.what = 'other'
WHERE d.id_state = 'valid18' AND c.household IN (SELECT household FROM households)
  AND (d.name_key IS NULL OR d.name_key IN (c.name_key, c.former_key) OR x.grade >= 2)

-- name: names_of_anchors
SELECT d.name_key, c.name_key FROM documents d JOIN crowd c ON c.id_key = d.id_key
WHERE d.id_state = 'valid18' AND c.household IN (SELECT household FROM households)

-- name: document_pairs
-- A row without a usable ID that shares a document with somebody else of a person's case or household.
WITH ties AS (
  SELECT a.extract, a.file, a.row, a.side, a.document, a.ident AS anchor, k.pno FROM document_anchors a JOIN known_people k ON k.case_id = a.case_id
  UNION
  SELECT a.extract, a.file, a.row, a.side, a.document, a.ident, h.pno FROM document_anchors a JOIN households h ON h.household = a.household
)
SELECT DISTINCT d.extract, d.file, d.row, d.side, d.name_key, d.id_state, t.pno, k.ident, t.anchor
FROM documents d
ANTI JOIN (SELECT extract, document FROM documents WHERE id_state IN ('none', 'invalid') GROUP BY ALL HAVING count(*) > getvariable('many_of_document')) m
       ON m.extract = d.extract AND m.document = d.document
JOIN ties t ON t.extract = d.extract AND t.document = d.document AND (t.file, t.row, t.side) <> (d.file, d.row, d.side)
JOIN known_people k ON k.pno = t.pno AND k.ident <> t.anchor
JOIN compared c ON c.pno = t.pno
WHERE d.id_state IN ('none', 'invalid') AND d.name_key IS NOT NULL AND coalesce(d.sex = c.sex, TRUE)
  AND d.fno NOT IN (SELECT fno FROM verdicts WHERE status = 'accepted')

-- name: names_of_documents
SELECT p.name_key, n.name_key FROM document_pairs p JOIN person_names n USING (pno) WHERE NOT n.former
UNION SELECT p.name_key, y.name_key FROM document_pairs p JOIN family y USING (pno)

-- name: document_verdicts
WITH ours AS (
  SELECT p.*, max(CASE WHEN n.name_key = p.name_key THEN CASE WHEN n.former THEN 3 ELSE 4 END WHEN n.former THEN 0 ELSE coalesce(x.grade, 0) END) AS grade
  FROM document_pairs p JOIN person_names n USING (pno)
  LEFT JOIN name_grades x ON x.a = least(p.name_key, n.name_key) AND x.b = greatest(p.name_key, n.name_key)
  GROUP BY ALL
), theirs AS (
  SELECT p.extract, p.file, p.row, p.side, p.pno, p.anchor, max(CASE WHEN y.name_key = p.name_key THEN 4 ELSE coalesce(x.grade, 0) END) AS grade
  FROM document_pairs p JOIN family y ON y.pno = p.pno AND y.ident <> p.anchor
  LEFT JOIN name_grades x ON x.a = least(p.name_key, y.name_key) AND x.b = greatest(p.name_key, y.name_key)
  GROUP BY ALL
)
SELECT o.extract, o.file, o.row, o.side, o.pno,
       CASE WHEN coalesce(max(t.grade), 0) < 2 OR (o.grade >= 3 AND max(t.grade) < 3) THEN 'accepted' ELSE 'review' END AS status,
       'name_document' AS method,
       list_filter(['document', CASE o.id_state WHEN 'invalid' THEN 'id_unusable' ELSE 'no_id' END,
                    CASE WHEN coalesce(max(t.grade), 0) >= 2 THEN 'others_fit' END], lambda r: r IS NOT NULL) AS reasons,
       CASE o.grade WHEN 4 THEN 'name_equal' WHEN 3 THEN 'name_former' ELSE 'name_slip' END AS name_reason
FROM ours o LEFT JOIN theirs t ON t.extract = o.extract AND t.file = o.file AND t.row = o.row AND t.side = o.side AND t.pno = o.pno AND t.anchor = o.anchor
WHERE o.grade >= 2
GROUP BY o.extract, o.file, o.row, o.side, o.pno, o.grade, o.id_state

-- name: no_document_verdicts
CREATE OR REPLACE TABLE document_verdicts
(extract VARCHAR, file VARCHAR, row INTEGER, side VARCHAR, pno BIGINT, status VARCHAR, method VARCHAR, reasons VARCHAR[], name_reason VARCHAR)

-- name: worked_out
-- Verdicts on faces spread to their rows, on rows of joint documents, and on rows of the register. By what a person was
-- found in the register comes `first`: the ID of that row is theirs only because of it.
SELECT m.extract, m.file, m.row, m.side, v.pno, v.status, v.method, v.reasons, v.name_reason, FALSE AS first, v.birth_says, v.sex_says
FROM lines m JOIN verdicts v USING (fno)
UNION ALL
SELECT extract, file, row, side, pno, status, method, reasons, name_reason, FALSE, 'nothing', 'nothing' FROM document_verdicts
UNION ALL
SELECT c.extract, c.file, c.row, c.side, a.pno, a.status, a.method, [a.method], 'name_agrees', TRUE, 'nothing', 'nothing' FROM person_rows a JOIN crowd c USING (rid)

-- name: all_verdicts
-- The same after what officers have decided: what must not be linked is rejected, what must be is accepted, and is nobody else's.
-- Nearly all rows are of neither kind, and pass as they are.
WITH asked AS (
  SELECT extract, file, row, side FROM held UNION SELECT extract, file, row, side FROM taken
), w AS (
  SELECT w.*, k.ident FROM worked_out w SEMI JOIN asked a ON a.extract = w.extract AND a.file = w.file AND a.row = w.row AND a.side = w.side
  JOIN known_people k USING (pno)
)
SELECT w.* FROM worked_out w ANTI JOIN asked a ON a.extract = w.extract AND a.file = w.file AND a.row = w.row AND a.side = w.side
UNION ALL
SELECT w.* EXCLUDE (ident) FROM w
ANTI JOIN held h ON h.extract = w.extract AND h.file = w.file AND h.row = w.row AND h.side = w.side AND h.pno = w.pno
WHERE NOT EXISTS (SELECT 1 FROM taken t WHERE (t.extract, t.file, t.row, t.side) = (w.extract, w.file, w.row, w.side) AND t.ident IS DISTINCT FROM w.ident)
UNION ALL
SELECT w.extract, w.file, w.row, w.side, w.pno, 'rejected', 'officer_not', list_prepend('officer_not', w.reasons), w.name_reason, w.first, w.birth_says, w.sex_says
FROM w JOIN held h ON h.extract = w.extract AND h.file = w.file AND h.row = w.row AND h.side = w.side AND h.pno = w.pno WHERE h.what = 'other'
UNION ALL
SELECT w.extract, w.file, w.row, w.side, w.pno, 'rejected', 'officer_not', list_prepend('officer_anothers', w.reasons), w.name_reason, w.first, w.birth_says, w.sex_says
FROM w JOIN taken t ON t.extract = w.extract AND t.file = w.file AND t.row = w.row AND t.side = w.side AND t.ident IS DISTINCT FROM w.ident
ANTI JOIN held h ON h.extract = w.extract AND h.file = w.file AND h.row = w.row AND h.side = w.side AND h.pno = w.pno
WHERE w.status <> 'rejected'
UNION ALL
SELECT extract, file, row, side, pno, 'accepted', 'officer', ['officer'], 'name_absent', TRUE, 'nothing', 'nothing' FROM held WHERE what = 'same'

-- name: allowed
-- Only people who count and have authorised it; of the others only what the rules let anybody be asked about.
SELECT v.*, k.case_id, k.member_no, k.ident
FROM all_verdicts v JOIN linkable x USING (extract) JOIN known_people k USING (pno)
WHERE k.is_member AND (k.authorised OR x.freely)

-- name: names_say
-- What it weighs more or less that a person's name agrees, for how many bear it; of several names the one that most bear.
SELECT n.pno, min(coalesce(w.bits, r.bits, 0)) AS bits FROM person_names n
LEFT JOIN name_weights w USING (name_key) LEFT JOIN (SELECT bits FROM name_weights WHERE name_key IS NULL) r ON TRUE
WHERE NOT n.former GROUP BY n.pno

-- name: scored
SELECT a.*, s.rank + n.rank AS rank,
       w.bits + CASE WHEN a.name_reason IN ('name_equal', 'name_agrees', 'name_homophone') AND a.method <> 'officer_not' THEN coalesce(y.bits, 0) ELSE 0 END AS score
FROM allowed a LEFT JOIN names_say y USING (pno) JOIN method_ranks s USING (method) JOIN name_ranks n USING (name_reason)
JOIN link_weights w ON w.method = a.method AND w.name_reason = a.name_reason AND w.birth = a.birth_says AND w.sex = a.sex_says

-- name: one
-- One verdict for a row and a person.
SELECT * FROM scored
QUALIFY row_number() OVER (PARTITION BY extract, file, row, side, pno
                           ORDER BY CASE status WHEN 'accepted' THEN 1 WHEN 'review' THEN 2 ELSE 3 END, first DESC, rank DESC, method, name_reason, reasons, score DESC) = 1

-- name: best
-- A row that is theirs for two different people is grey for both.
WITH counted AS (
  SELECT *, count(DISTINCT CASE WHEN status = 'accepted' THEN ident END) OVER (PARTITION BY extract, file, row, side) AS owners FROM one
)
SELECT extract, file, row, side, case_id, member_no, pno,
       CASE WHEN status = 'accepted' AND owners > 1 THEN 'review' ELSE status END AS status, score::BIGINT AS score, method,
       CASE WHEN status = 'accepted' AND owners > 1 THEN list_append(reasons, 'others_fit') ELSE reasons END AS reasons
FROM counted WHERE owners <> 1 OR NOT (status = 'review' OR method = 'name_only')

-- name: known_as
SELECT pno, coalesce(best_id, min(case_id || ':' || member_no) OVER (PARTITION BY ident)) AS known_as FROM known_people ORDER BY pno

-- name: persons
-- The birth date that counts: of the accepted register row, else of an own valid ID, else of a grey register row. Of people
-- who have not authorised it, and on a night without the register, only that of a declared valid ID.
WITH grey AS (
  SELECT b.pno, c.born, row_number() OVER (PARTITION BY b.pno ORDER BY c.file, c.row, c.side) AS n
  FROM best b JOIN crowd c ON c.extract = b.extract AND c.file = b.file AND c.row = b.row AND c.side = b.side
  WHERE b.status = 'review' AND c.born IS NOT NULL
), written AS (
  SELECT extract, file, row, min(name_key) AS name_key FROM spoken GROUP BY extract, file, row
), rights AS (
  SELECT k.*, k.authorised AND EXISTS (SELECT 1 FROM linkable JOIN register_extracts USING (extract)) AS readable FROM known_people k
)
SELECT k.case_id, k.member_no, p.person_id, k.is_member, k.is_applicant, k.authorised, k.relation, k.file, k.row, k.name,
       d.name_key,
       coalesce((SELECT list_sort(list(DISTINCT i.id_key)) FROM person_ids i WHERE i.pno = k.pno AND i.id_state = 'valid18'), []::VARCHAR[]) AS ids,
       k.pno IN (SELECT pno FROM person_ids) AS id_known,
       CASE WHEN k.readable AND k.register_birth IS NOT NULL THEN k.register_birth WHEN k.declared_birth IS NOT NULL THEN k.declared_birth
            WHEN k.readable THEN g.born END AS birth,
       CASE WHEN k.readable AND k.register_birth IS NOT NULL THEN 'register' WHEN k.declared_birth IS NOT NULL THEN 'id'
            WHEN k.readable AND g.born IS NOT NULL THEN 'register' END AS birth_basis,
       CASE WHEN (k.readable AND k.register_birth IS NOT NULL) OR k.declared_birth IS NOT NULL THEN 'accepted'
            WHEN k.readable AND g.born IS NOT NULL THEN 'review' END AS birth_status,
       coalesce(k.register_sex, k.declared_sex) AS sex,
       CASE WHEN EXISTS (SELECT 1 FROM linkable JOIN register_extracts USING (extract)) THEN k.household END AS household
FROM rights k JOIN pseudonyms p USING (pno) LEFT JOIN grey g ON g.pno = k.pno AND g.n = 1
LEFT JOIN written d ON d.extract = k.extract AND d.file = k.file AND d.row = k.row
ORDER BY k.case_id, k.member_no

-- name: portraits
-- By what a person of the roster is known again on another night: a line for each name and each own ID, at each place of theirs.
SELECT k.case_id, k.member_no, p.person_id, n.name_key, NULL::VARCHAR AS id18, NULL::VARCHAR AS id15, c.birth, c.sex
FROM known_people k JOIN pseudonyms p USING (pno) JOIN compared c USING (pno) JOIN person_names n USING (pno)
UNION
SELECT k.case_id, k.member_no, p.person_id, NULL, CASE WHEN i.id_state = 'valid18' THEN i.id_key END, i.id15, c.birth, c.sex
FROM known_people k JOIN pseudonyms p USING (pno) JOIN compared c USING (pno) LEFT JOIN person_ids i USING (pno)
ORDER BY ALL

-- name: links
SELECT b.extract, b.file, b.row, b.side, b.case_id, b.member_no, p.person_id, b.status, b.score, b.method, b.reasons
FROM best b JOIN pseudonyms p USING (pno)
ORDER BY b.extract, b.file, b.row, b.side, b.case_id, b.member_no
