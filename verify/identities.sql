-- Who the people of the roster are in the household register, and what that makes known of them.
-- Tables here: register_mentions, own_mentions (from faces.py), roster, applications (from standardise), name_grades(a, b, grade, how);
-- decided_rows, pair_marks (from match_decided.py): what officers have decided, and of which rows of tonight.
-- Grades: 4 equal, 3 former name, 2 agrees (one slip), 1 damaged, 0 foreign.

-- name: people
SELECT row_number() OVER (ORDER BY case_id, member_no) AS pno, * FROM roster

-- name: register
-- `ident` tells people of the crowd apart: a valid ID, else the row itself.
SELECT row_number() OVER (ORDER BY extract, file, row, side) AS rid, extract, file, row, side, name_key, former_key,
       id_key, id_state, id15, household, coalesce(birth, id_birth) AS born, coalesce(sex, id_sex) AS gender,
       CASE WHEN id_state = 'valid18' THEN 'I' || id_key ELSE 'R' || extract || ':' || file || ':' || row END AS ident
FROM register_mentions

-- name: spoken
-- The rows of the extracts that list the people of cases or their applications.
SELECT * FROM own_mentions

-- name: declared
-- Every name and ID declared for a person; for the applicant those of the application too.
WITH alone AS (SELECT case_id FROM people WHERE is_applicant GROUP BY case_id HAVING count(*) = 1)
SELECT p.pno, p.case_id, m.name_key, m.id_key, m.id_state, m.id15, m.id_birth, m.id_sex
FROM people p JOIN spoken m ON m.extract = p.extract AND m.file = p.file AND m.row = p.row
UNION
SELECT p.pno, p.case_id, m.name_key, m.id_key, m.id_state, m.id15, m.id_birth, m.id_sex
FROM people p
JOIN applications a ON a.case_id = p.case_id
JOIN spoken m ON m.extract = a.extract AND m.file = a.file AND m.row = a.row
JOIN spoken own ON own.extract = p.extract AND own.file = p.file AND own.row = p.row
WHERE p.is_applicant AND (p.case_id IN (FROM alone) OR own.name_key = m.name_key)

-- name: decided
-- Which decision is about which row and which of the people; of each pair the last one. A valid ID is one person's in every
-- case, another only within its case.
SELECT d.number, m.what, d.extract, d.file, d.row, d.side, p.pno
FROM decided_rows d JOIN pair_marks m USING (number)
JOIN spoken s ON s.name_key IS NOT DISTINCT FROM m.person_name AND s.id_key IS NOT DISTINCT FROM m.person_id
JOIN people p ON p.extract = s.extract AND p.file = s.file AND p.row = s.row
WHERE m.person_id_valid OR p.case_id = m.case_id
QUALIFY row_number() OVER (PARTITION BY d.extract, d.file, d.row, d.side, p.pno ORDER BY d.number DESC) = 1

-- name: register_decided
SELECT d.number, d.what, d.pno, r.rid, r.ident, p.case_id
FROM decided d JOIN register r ON r.extract = d.extract AND r.file = d.file AND r.row = d.row AND r.side = d.side JOIN people p USING (pno)

-- name: register_void
-- Must-links that would make a person two of the register, or a row of it two people of one case; or that a cannot-link denies.
WITH same AS (FROM register_decided WHERE what = 'same')
SELECT DISTINCT number FROM same a WHERE
  EXISTS (SELECT 1 FROM same b WHERE b.pno = a.pno AND b.ident <> a.ident)
  OR EXISTS (SELECT 1 FROM same b WHERE b.rid = a.rid AND b.case_id = a.case_id AND b.pno <> a.pno)
  OR EXISTS (SELECT 1 FROM register_decided b WHERE b.what = 'other' AND b.pno = a.pno AND b.ident = a.ident)

-- name: officers_rows
SELECT pno, rid, ident FROM register_decided WHERE what = 'same' AND number NOT IN (FROM register_void)

-- name: barred
-- Rows of the register that are not a person's, by a cannot-link.
SELECT pno, rid FROM register_decided WHERE what = 'other'

-- name: register_pairs
SELECT d.pno, r.rid, CASE d.id_state WHEN 'invalid' THEN 'corrected_id' ELSE 'exact_id' END AS method
FROM declared d JOIN register r ON d.id_key = r.id_key WHERE d.id_state <> 'valid15'
UNION
SELECT d.pno, r.rid, 'exact_id15' FROM declared d JOIN register r ON d.id15 = r.id15 WHERE 'valid15' IN (d.id_state, r.id_state)
UNION
SELECT d.pno, r.rid, 'corrected_id' FROM declared d JOIN near_register n ON d.id_key = n.a JOIN register r ON r.id_key = n.b
UNION
SELECT d.pno, r.rid, 'name_birth_sex'
FROM declared d JOIN register r ON d.id_birth = r.born AND d.id_sex = r.gender
WHERE r.id_state IN ('none', 'invalid') AND d.id_birth NOT IN (FROM crowded_births)
UNION
SELECT d.pno, r.rid, 'name_birth_sex'
FROM declared d JOIN register r ON d.id_birth = r.born AND d.id_sex = r.gender AND d.name_key = r.name_key
WHERE r.id_state IN ('none', 'invalid') AND d.id_birth IN (FROM crowded_births) AND (d.name_key, d.id_birth) NOT IN (FROM crowded_twins)

-- name: register_crowd
-- Everybody of the register who shares birth date and sex with a person for whom these could decide.
SELECT DISTINCT c.pno, r.rid, 'crowd' AS method
FROM register_pairs c JOIN declared d USING (pno) JOIN register r ON d.id_birth = r.born AND d.id_sex = r.gender
WHERE c.method = 'name_birth_sex' AND (d.id_birth NOT IN (FROM crowded_births) OR d.name_key = r.name_key) AND c.pno NOT IN (SELECT pno FROM person_rows WHERE status = 'accepted')

-- name: household_pairs
-- Rows of a household in which somebody of the case is already known, for those of the case who are not.
SELECT DISTINCT p.pno, r.rid, 'name_household' AS method
FROM people p
JOIN (SELECT DISTINCT q.case_id, k.household FROM person_rows a JOIN people q USING (pno) JOIN register k USING (rid)
      WHERE a.status = 'accepted' AND k.household IS NOT NULL) h ON h.case_id = p.case_id
JOIN register r ON r.household = h.household
WHERE p.pno NOT IN (SELECT pno FROM person_rows WHERE status = 'accepted')
  AND NOT EXISTS (SELECT 1 FROM person_rows a JOIN people q USING (pno) JOIN register k USING (rid)
                  WHERE a.status = 'accepted' AND q.case_id = p.case_id AND k.ident = r.ident)

-- name: names_of_pairs
SELECT d.name_key, r.name_key FROM {pairs} c JOIN declared d USING (pno) JOIN register r USING (rid)

-- name: graded
-- `better`: the names fit others of the family better than each other. A row that says its name is a former one tells
-- nothing of the name of today, so that no strange name is one.
WITH g AS (
  SELECT c.pno, c.rid, max(CASE WHEN d.name_key = r.name_key THEN 4 WHEN d.name_key = r.former_key THEN 3 ELSE coalesce(n.grade, 0) END) AS grade
  FROM (SELECT DISTINCT pno, rid FROM {pairs}) c JOIN declared d USING (pno) JOIN register r USING (rid)
  LEFT JOIN name_grades n ON n.a = least(d.name_key, r.name_key) AND n.b = greatest(d.name_key, r.name_key)
  GROUP BY c.pno, c.rid
), doubtful AS (
  SELECT g.pno, g.rid, r.name_key, r.household, r.ident, p.case_id FROM g JOIN register r USING (rid) JOIN people p USING (pno) WHERE g.grade < 4
), better AS (
  SELECT n.pno, n.rid FROM doubtful n JOIN declared q ON q.case_id = n.case_id AND q.name_key = n.name_key AND q.pno <> n.pno
  UNION
  SELECT n.pno, n.rid FROM doubtful n JOIN register o ON o.household = n.household AND o.ident <> n.ident
  JOIN declared d ON d.pno = n.pno AND d.name_key = o.name_key
)
SELECT c.pno, c.rid, c.method, CASE WHEN g.grade = 0 AND r.name_key = r.former_key THEN 1 ELSE g.grade END AS grade, r.ident, r.id_state,
       t.pno IS NOT NULL AS better
FROM {pairs} c JOIN g USING (pno, rid) JOIN register r USING (rid) LEFT JOIN better t ON t.pno = c.pno AND t.rid = c.rid
ANTI JOIN barred b ON b.pno = c.pno AND b.rid = c.rid
WHERE NOT EXISTS (SELECT 1 FROM officers_rows o WHERE o.pno = c.pno AND o.ident <> r.ident)

-- name: accept_exact
-- Two valid IDs declared for one person that both find a row with an agreeing name: nobody can say which is right.
SELECT pno, rid, method, CASE WHEN count(DISTINCT ident) OVER (PARTITION BY pno) = 1 THEN 'accepted' ELSE 'review' END AS status
FROM graded WHERE method IN ('exact_id', 'exact_id15') AND grade >= 2 AND NOT better

-- name: accept_corrected
-- One row of the crowd fits this ID, and this row fits one declared ID; whoever has a row by an equal ID takes no other valid one.
WITH fits AS (
  SELECT f.pno, f.rid, f.ident, f.id_state, f.better, p.case_id,
         coalesce(min(own.id_key) FILTER (WHERE own.id_state = 'valid18'), p.case_id || ':' || p.member_no) AS who
  FROM graded f JOIN people p USING (pno) LEFT JOIN declared own USING (pno)
  WHERE f.method = 'corrected_id' AND f.grade >= 2
    AND NOT (f.id_state = 'valid18' AND f.pno IN (SELECT pno FROM person_rows WHERE status = 'accepted'))
  GROUP BY f.pno, f.rid, f.ident, f.id_state, f.better, p.case_id, p.member_no
), counted AS (
  SELECT *, count(DISTINCT CASE WHEN id_state = 'valid18' THEN ident END) OVER (PARTITION BY pno) AS rows_fitting,
         CASE WHEN id_state = 'valid18' THEN count(DISTINCT pno) OVER (PARTITION BY rid, case_id)
              ELSE count(DISTINCT who) OVER (PARTITION BY rid) END AS people_fitting
  FROM fits
)
SELECT pno, rid, 'corrected_id' AS method,
       CASE WHEN rows_fitting <= 1 AND people_fitting = 1 AND NOT better THEN 'accepted' ELSE 'review' END AS status
FROM counted

-- name: accept_birth
WITH fits AS (
  SELECT *, count(DISTINCT ident) OVER (PARTITION BY pno) AS fitting FROM graded
  WHERE method IN ('name_birth_sex', 'crowd') AND grade >= 2 AND pno NOT IN (SELECT pno FROM person_rows WHERE status = 'accepted')
)
SELECT pno, rid, 'name_birth_sex' AS method, CASE WHEN fitting = 1 AND NOT better THEN 'accepted' ELSE 'review' END AS status
FROM fits WHERE method = 'name_birth_sex'

-- name: accept_household
-- The name and the household decide only where the declared ID is missing or unusable; or that of another of the family,
-- who is known or bears a strange name (then this name must be theirs to the letter); or where the row has no usable ID
-- and what the declared ID says of birth and sex does not contradict it.
WITH free AS (
  SELECT f.*, p.case_id FROM graded f JOIN people p USING (pno) JOIN register r USING (rid)
  WHERE f.method = 'name_household' AND f.grade >= 2
    AND NOT EXISTS (
      SELECT 1 FROM declared d WHERE d.pno = f.pno AND d.id_state IN ('valid18', 'valid15')
        AND NOT EXISTS (SELECT 1 FROM family_rows o WHERE f.grade >= 3 AND o.case_id = p.case_id AND (o.id_key = d.id_key OR o.id15 = d.id15)
                        AND (o.taken OR o.rid NOT IN (SELECT h.rid FROM id_holders h WHERE h.pno = f.pno)))
        AND NOT (r.id_state IN ('none', 'invalid') AND coalesce(d.id_birth = r.born, TRUE) AND coalesce(d.id_sex = r.gender, TRUE)))
), best AS (
  SELECT *, max(grade) OVER (PARTITION BY pno) AS best_of_person, max(grade) OVER (PARTITION BY case_id, rid) AS best_of_row FROM free
), counted AS (
  SELECT *, count(DISTINCT ident) FILTER (WHERE grade = best_of_person) OVER (PARTITION BY pno) AS rows_fitting,
         count(DISTINCT pno) FILTER (WHERE grade = best_of_row) OVER (PARTITION BY case_id, rid) AS people_fitting
  FROM best
)
SELECT pno, rid, method,
       CASE WHEN NOT better AND grade = best_of_person AND grade = best_of_row AND rows_fitting = 1 AND people_fitting = 1 THEN 'accepted' ELSE 'review' END AS status
FROM counted

-- name: family_rows
-- The register's rows of every household in which somebody of the case is known, and the case's own rows.
WITH known AS (SELECT q.case_id, k.rid, k.household FROM person_rows a JOIN people q USING (pno) JOIN register k USING (rid) WHERE a.status = 'accepted')
SELECT k.case_id, r.rid, r.id_key, r.id15, r.id_state, TRUE AS taken FROM known k JOIN register r USING (rid)
UNION
SELECT k.case_id, r.rid, r.id_key, r.id15, r.id_state, FALSE FROM known k JOIN register r USING (household)

-- name: person_ids
-- Valid IDs that are the person's own: those of the accepted rows, and those declared, save where the register says that
-- they are somebody else's: of the same case, of anybody once the person has a row of their own, or as likely of another
-- of the household who bears almost the same name.
WITH found AS (SELECT pno, rid FROM person_rows WHERE status = 'accepted'
), holders AS (
  SELECT d.pno, d.case_id, d.id_key, o.rid FROM declared d JOIN register o ON o.id_key = d.id_key WHERE d.id_state IN ('valid18', 'valid15')
  UNION
  SELECT d.pno, d.case_id, d.id_key, o.rid FROM declared d JOIN register o ON o.id15 = d.id15 WHERE 'valid15' IN (o.id_state, d.id_state)
  UNION
  SELECT d.pno, d.case_id, d.id_key, o.rid FROM declared d JOIN near_register n ON n.a = d.id_key JOIN register o ON o.id_key = n.b WHERE d.id_state = 'valid18'
), strange AS (
  SELECT DISTINCT h.pno, h.id_key FROM holders h ANTI JOIN found f ON f.pno = h.pno AND f.rid = h.rid
  WHERE h.pno IN (SELECT pno FROM found)
     OR (h.case_id, h.rid) IN (SELECT (q.case_id, f.rid) FROM found f JOIN people q USING (pno))
     OR (h.pno, h.rid) IN (SELECT (pno, rid) FROM id_holders WHERE better)
     OR (h.pno, h.rid) IN (SELECT (pno, rid) FROM barred)
)
SELECT pno, id_key, id_state, id15 FROM declared d ANTI JOIN strange s ON s.pno = d.pno AND s.id_key = d.id_key
WHERE d.id_state IN ('valid18', 'valid15')
UNION
SELECT f.pno, r.id_key, r.id_state, r.id15 FROM found f JOIN register r USING (rid) WHERE r.id_state IN ('valid18', 'valid15')

-- name: doubtful_ids
-- IDs that fail the check but are all that was declared, or stand in the accepted row: comparable, never corrected to.
SELECT DISTINCT pno, id_key, id_state FROM (
  SELECT pno, id_key, id_state FROM declared WHERE id_state = 'invalid'
  UNION ALL
  SELECT a.pno, r.id_key, r.id_state FROM person_rows a JOIN register r USING (rid) WHERE a.status = 'accepted' AND r.id_state = 'invalid'
) WHERE pno NOT IN (SELECT pno FROM person_ids)

-- name: known_people
-- One row a person: `ident` is equal for the same person in two cases. Birth and sex are those used to compare.
WITH rows_of AS (
  SELECT a.pno, r.*, row_number() OVER (PARTITION BY a.pno ORDER BY r.id_state <> 'valid18', r.extract, r.file, r.row, r.side) AS n
  FROM person_rows a JOIN register r USING (rid) WHERE a.status = 'accepted'
), own AS (
  SELECT pno, min(id_key) FILTER (WHERE id_state = 'valid18') AS id18, min(id_key) AS any_id FROM person_ids GROUP BY pno
), said AS (
  SELECT d.pno, min(d.id_birth) AS id_birth, min(d.id_sex) AS id_sex, count(DISTINCT d.id_birth) AS births, count(DISTINCT d.id_sex) AS sexes
  FROM declared d JOIN person_ids i ON i.pno = d.pno AND i.id_key = d.id_key GROUP BY d.pno
)
SELECT p.*, r.rid, r.household,
       CASE WHEN r.id_state = 'valid18' THEN 'I' || r.id_key WHEN own.id18 IS NOT NULL THEN 'I' || own.id18
            WHEN r.rid IS NOT NULL THEN r.ident WHEN own.any_id IS NOT NULL THEN 'I' || own.any_id
            ELSE 'P' || p.case_id || ':' || p.member_no END AS ident,
       CASE WHEN r.id_state = 'valid18' THEN r.id_key ELSE own.id18 END AS best_id,
       r.born AS register_birth, r.gender AS register_sex,
       CASE WHEN s.births = 1 THEN s.id_birth END AS declared_birth, CASE WHEN s.sexes = 1 THEN s.id_sex END AS declared_sex
FROM people p LEFT JOIN rows_of r ON r.pno = p.pno AND r.n = 1 LEFT JOIN own ON own.pno = p.pno LEFT JOIN said s ON s.pno = p.pno

-- name: person_names
SELECT DISTINCT * FROM (
  SELECT pno, name_key, FALSE AS former FROM declared
  UNION ALL
  SELECT a.pno, r.name_key, FALSE FROM person_rows a JOIN register r USING (rid) WHERE a.status = 'accepted'
  UNION ALL
  SELECT a.pno, r.former_key, TRUE FROM person_rows a JOIN register r USING (rid) WHERE a.status = 'accepted'
) WHERE name_key IS NOT NULL

-- name: crowd
-- The register with one `ident` for a person of the roster, whichever row or ID found them.
SELECT r.* REPLACE (coalesce(k.ident, r.ident) AS ident)
FROM register r
LEFT JOIN (SELECT a.rid, min(p.ident) AS ident FROM person_rows a JOIN known_people p USING (pno) WHERE a.status = 'accepted' GROUP BY a.rid) k USING (rid)

-- name: households
-- The household a person lives in; of somebody not found in the register, those of the others of the case.
SELECT DISTINCT a.pno, r.household FROM person_rows a JOIN register r USING (rid) WHERE a.status = 'accepted' AND r.household IS NOT NULL
UNION
SELECT DISTINCT p.pno, r.household FROM people p JOIN people q ON q.case_id = p.case_id
JOIN person_rows a ON a.pno = q.pno AND a.status = 'accepted' JOIN register r USING (rid)
WHERE r.household IS NOT NULL AND p.pno NOT IN (SELECT pno FROM person_rows WHERE status = 'accepted')

-- name: family
-- The other people of a person's case and household: every name and every ID of theirs.
WITH others AS (
  SELECT p.pno, q.pno AS other, q.ident FROM known_people p JOIN known_people q ON q.case_id = p.case_id AND q.ident <> p.ident
), neighbours AS (
  SELECT p.pno, c.ident, c.name_key, c.former_key, c.id_key, c.id_state, c.id15
  FROM known_people p JOIN households h USING (pno) JOIN crowd c ON c.household = h.household AND c.ident <> p.ident
)
SELECT DISTINCT * FROM (
  SELECT o.pno, o.ident, n.name_key, NULL::VARCHAR AS id_key, 'none' AS id_state, NULL::VARCHAR AS id15 FROM others o JOIN person_names n ON n.pno = o.other
  UNION ALL SELECT o.pno, o.ident, NULL, i.id_key, i.id_state, i.id15 FROM others o JOIN person_ids i ON i.pno = o.other
  UNION ALL SELECT pno, ident, name_key, id_key, id_state, id15 FROM neighbours
  UNION ALL SELECT pno, ident, former_key, NULL, 'none', NULL FROM neighbours WHERE former_key IS NOT NULL
)
