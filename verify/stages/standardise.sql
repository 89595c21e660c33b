-- The roster with the people's standing, and whose application is whose.
-- Tables here: roster_mentions (from faces.py), listed, applied.

-- name: roster
-- A number used twice in a case for one name is one person: a member if any row says so, authorised only if all rows do, in
-- whatever order they came. For two names they are two people, and the later one gets a free number, as does a number that
-- cannot be one, so that nobody is lost and (case_id, member_no) names one person.
WITH written AS (
  SELECT extract, file, row, min(name_key) AS name_key FROM roster_mentions GROUP BY extract, file, row
), named AS (
  SELECT l.* REPLACE (CASE WHEN l.member_no BETWEEN 0 AND 999999 THEN l.member_no END AS member_no,
                      bool_or(l.is_member) OVER same AS is_member, bool_or(l.is_applicant) OVER same AS is_applicant,
                      bool_and(l.authorised) OVER same AS authorised),
         row_number() OVER (PARTITION BY l.case_id, l.member_no, n.name_key ORDER BY l.as_of DESC, l.file DESC, l.row DESC) AS version
  FROM listed l LEFT JOIN written n ON l.extract = n.extract AND l.file = n.file AND l.row = n.row
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
