-- Names, IDs, births and households of every row made comparable, and the roster with the people's standing.
-- Tables here: said (one row per extract, file, row, side, as the extract says it), name_keys, id_keys, listed, applied.

-- name: distinct_names
SELECT DISTINCT name AS raw FROM (SELECT name FROM said UNION SELECT former FROM said) WHERE name IS NOT NULL ORDER BY raw

-- name: distinct_ids
SELECT DISTINCT id AS raw FROM said WHERE id IS NOT NULL ORDER BY raw

-- name: mentions
-- `birth` and `sex` are what the row itself says; `id_birth` and `id_sex` what a valid ID says of its holder. A birth date
-- on which nobody alive can have been born is no value. In no order: a passing table, and whoever ranks rows says by what.
SELECT s.extract, s.file, s.row, s.side, n.name_key, f.name_key AS former_key,
       i.id_key, coalesce(i.id_state, 'none') AS id_state, i.id15, i.id_birth, i.id_sex,
       CASE WHEN s.birth <= getvariable('as_of') AND s.birth > getvariable('as_of') - INTERVAL 130 YEAR THEN s.birth END AS birth,
       s.sex, s.household, s.document
FROM said s
LEFT JOIN name_keys n ON s.name = n.raw
LEFT JOIN name_keys f ON s.former = f.raw
LEFT JOIN id_keys i ON s.id = i.raw

-- name: roster
-- A number used twice in a case for one name is one person: a member if any row says so, authorised only if all rows do, in
-- whatever order they came. For two names they are two people, and the later one gets a free number, as does a number that
-- cannot be one, so that nobody is lost and (case_id, member_no) names one person.
WITH named AS (
  SELECT l.* REPLACE (CASE WHEN l.member_no BETWEEN 0 AND 999999 THEN l.member_no END AS member_no,
                      bool_or(l.is_member) OVER same AS is_member, bool_or(l.is_applicant) OVER same AS is_applicant,
                      bool_and(l.authorised) OVER same AS authorised),
         row_number() OVER (PARTITION BY l.case_id, l.member_no, n.name_key ORDER BY l.as_of DESC, l.file DESC, l.row DESC) AS version
  FROM listed l LEFT JOIN name_keys n ON l.name = n.raw
  WINDOW same AS (PARTITION BY l.case_id, l.member_no, n.name_key)
), people AS (
  SELECT *, row_number() OVER (PARTITION BY case_id, member_no ORDER BY file, row) = 1 AND member_no IS NOT NULL AS keeps,
         coalesce(max(member_no) OVER (PARTITION BY case_id), 0) AS last_no
  FROM named WHERE version = 1
), numbered AS (
  SELECT *, CASE WHEN keeps THEN member_no
                 ELSE last_no + row_number() OVER (PARTITION BY case_id, keeps ORDER BY member_no, file, row) END AS number
  FROM people
)
SELECT case_id, number::INTEGER AS member_no, extract, file, row, is_member, is_applicant, authorised, relation, name
FROM numbered ORDER BY case_id, number

-- name: applications
SELECT case_id, extract, file, row FROM applied ORDER BY case_id, extract, file, row
