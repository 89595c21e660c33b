-- Who counts in which case, and what the register and the marriages show that the family did not declare.
-- Tables here: persons, links, mentions (from match); absences, marriages, register_rows, aids (roles, from group.py);
-- late(extract), refused_members(case_id), minor_ages(region, below).

-- name: cases
-- One row a case: an application, or people listed under a number that has no application.
SELECT c.case_id, c.case_id AS own_id, a.region, a.area, a.file, a.row,
       coalesce(p.n, 0) = 0 OR r.case_id IS NOT NULL AS open_upwards
FROM (SELECT case_id FROM applications UNION SELECT case_id FROM persons) c
LEFT JOIN applications a USING (case_id)
LEFT JOIN (SELECT case_id, count(*) FILTER (WHERE is_member) AS n FROM persons GROUP BY case_id) p USING (case_id)
LEFT JOIN (SELECT DISTINCT case_id FROM refused_members) r USING (case_id)
ORDER BY c.case_id

-- name: gaps
-- Cases that may have lost an unreadable row: a number is missing between 1 and the last, or nobody is the applicant.
SELECT case_id FROM persons GROUP BY case_id
HAVING max(member_no) <> count(DISTINCT member_no) OR NOT bool_or(is_applicant)
UNION SELECT case_id FROM applications WHERE case_id NOT IN (SELECT case_id FROM persons)

-- name: absent
-- What is known of each member's death or absence: `sure` where an accepted row says so.
SELECT l.case_id, l.member_no, a.kind, l.extract, l.file, l.row, a.since,
       l.status = 'accepted' AND a.applies AS sure
FROM links l JOIN absences a ON l.extract = a.extract AND l.file = a.file AND l.row = a.row
WHERE l.status <> 'rejected' AND a.applies IS DISTINCT FROM FALSE

-- name: members
-- Full years lived on the as-of date: datesub counts birthdays, date_diff would count year ends.
SELECT p.case_id, p.member_no, p.person_id, p.authorised, p.id_known, p.relation,
       CASE WHEN coalesce(a.sure, FALSE) THEN 'out'
            WHEN a.case_id IS NOT NULL OR EXISTS (SELECT 1 FROM late WHERE decides_members) THEN 'possible'
            ELSE 'certain' END AS presence,
       p.birth, datesub('year', p.birth, getvariable('as_of'))::BIGINT AS age
FROM (SELECT * REPLACE (CASE WHEN birth_status = 'accepted' THEN birth END AS birth) FROM persons) p
LEFT JOIN (SELECT case_id, member_no, bool_or(sure) AS sure FROM absent GROUP BY ALL) a
       ON p.case_id = a.case_id AND p.member_no = a.member_no
WHERE p.is_member
-- Somebody who is listed twice in a case counts once: listing a person again must not halve the income a head.
QUALIFY row_number() OVER (PARTITION BY p.case_id, p.person_id ORDER BY p.member_no) = 1
ORDER BY p.case_id, p.member_no

-- name: deaths_of_anybody
-- Everybody whom a usable death row speaks of, on the roster or not: a dead spouse or child is not undeclared.
SELECT DISTINCT m.id_key, m.name_key, m.birth, m.household
FROM mentions m JOIN absences a ON m.extract = a.extract AND m.file = a.file AND m.row = a.row
WHERE a.kind = 'death' AND a.applies

-- name: marriage_rows
-- Every marriage and divorce of each living, authorised member, and the other side of it.
SELECT l.case_id, l.member_no, l.extract, l.file, l.row, m.day, m.married, o.side AS other_side, o.id_key, o.id_state, o.name_key, p.household
FROM links l
JOIN marriages m ON l.extract = m.extract AND l.file = m.file AND l.row = m.row
JOIN mentions o ON l.extract = o.extract AND l.file = o.file AND l.row = o.row AND l.side <> o.side
JOIN persons p ON l.case_id = p.case_id AND l.member_no = p.member_no
JOIN members mm ON l.case_id = mm.case_id AND l.member_no = mm.member_no AND mm.presence <> 'out' AND mm.authorised
WHERE l.status = 'accepted' AND m.day <= getvariable('as_of')

-- name: last_marriages
-- The latest row of a couple counts: a divorce ends the marriage to the one it names, and to nobody else.
SELECT * FROM (
  SELECT r.*, row_number() OVER (PARTITION BY r.case_id, r.member_no ORDER BY r.day DESC, r.name_key, r.id_key, r.file, r.row) AS n
  FROM marriage_rows r
  WHERE r.married AND (r.id_key IS NOT NULL OR r.name_key IS NOT NULL)
    AND NOT EXISTS (SELECT 1 FROM marriage_rows d
                    WHERE d.case_id = r.case_id AND d.member_no = r.member_no AND NOT d.married AND d.day >= r.day
                      AND (d.id_key = r.id_key OR d.name_key = r.name_key))
) WHERE n = 1

-- name: undeclared_spouse
SELECT s.case_id, s.member_no, 'undeclared_spouse' AS finding, s.day AS since, s.extract, s.file, s.row
FROM last_marriages s
WHERE NOT EXISTS (SELECT 1 FROM persons p WHERE p.case_id = s.case_id
                  AND (list_contains(p.ids, s.id_key) OR p.name_key = s.name_key))
  AND NOT EXISTS (SELECT 1 FROM links l WHERE l.extract = s.extract AND l.file = s.file AND l.row = s.row
                  AND l.side = s.other_side AND l.case_id = s.case_id AND l.status <> 'rejected')
  AND NOT EXISTS (SELECT 1 FROM deaths_of_anybody d
                  WHERE d.id_key = s.id_key OR (d.name_key = s.name_key AND d.household = s.household)
                     OR (d.name_key = s.name_key AND s.id_state = 'valid18'
                         AND strftime(d.birth, '%Y%m%d') = substr(s.id_key, 7, 8)))

-- name: undeclared_minor_child
-- Sure only where the member is head or spouse of the household and the row is a child of that head.
SELECT l.case_id, min(l.member_no) AS member_no, 'undeclared_minor_child' AS finding, c.birth AS since, c.extract, c.file, c.row
FROM links l
JOIN register_rows h ON l.extract = h.extract AND l.file = h.file AND l.row = h.row AND h.is_parent
JOIN members mm ON l.case_id = mm.case_id AND l.member_no = mm.member_no AND mm.presence <> 'out' AND mm.authorised
JOIN cases k ON l.case_id = k.case_id
JOIN minor_ages y ON y.region = coalesce(k.region, y.home)
JOIN register_rows c ON c.extract = h.extract AND c.household = h.household AND c.is_child
WHERE l.status = 'accepted'
  AND datesub('year', c.birth, getvariable('as_of')) < y.below
  AND NOT EXISTS (SELECT 1 FROM links x WHERE x.extract = c.extract AND x.file = c.file AND x.row = c.row
                  AND x.case_id = l.case_id AND x.status <> 'rejected')
  AND NOT EXISTS (SELECT 1 FROM persons p WHERE p.case_id = l.case_id
                  AND (list_contains(p.ids, c.id_key) OR p.name_key = c.name_key))
  AND NOT EXISTS (SELECT 1 FROM deaths_of_anybody d WHERE d.id_key = c.id_key
                  OR (d.name_key = c.name_key AND d.household = c.household) OR (d.name_key = c.name_key AND d.birth = c.birth))
GROUP BY l.case_id, c.birth, c.extract, c.file, c.row

-- name: absence_findings
SELECT a.case_id, a.member_no, CASE a.kind WHEN 'death' THEN 'death' ELSE 'inside' END AS finding,
       a.since, a.extract, a.file, a.row
FROM absent a JOIN persons p ON a.case_id = p.case_id AND a.member_no = p.member_no AND p.is_member
WHERE a.sure

-- name: aid_findings
SELECT l.case_id, l.member_no, 'paid_after_death' AS finding, d.since, l.extract, l.file, l.row
FROM links l JOIN aids a ON l.extract = a.extract AND l.file = a.file AND l.row = a.row AND a.running
JOIN (SELECT case_id, member_no, min(since) AS since FROM absent WHERE sure AND kind = 'death' GROUP BY ALL) d
  ON l.case_id = d.case_id AND l.member_no = d.member_no
WHERE l.status = 'accepted'
UNION ALL
SELECT case_id, member_no, 'two_aids', since, extract, file, row FROM (
  SELECT l.case_id, l.member_no, l.extract, l.file, l.row, a.since,
         min(a.kind) OVER w AS first_kind, max(a.kind) OVER w AS last_kind
  FROM links l JOIN aids a ON l.extract = a.extract AND l.file = a.file AND l.row = a.row AND a.running
  WHERE l.status = 'accepted'
  WINDOW w AS (PARTITION BY l.case_id, l.member_no)
) WHERE first_kind <> last_kind

-- name: other_findings
SELECT p.case_id, p.member_no, 'two_cases' AS finding, NULL::DATE AS since, getvariable('roster') AS extract, p.file, p.row
FROM persons p
WHERE p.is_member AND p.person_id IN (SELECT person_id FROM persons WHERE is_member GROUP BY person_id
                                      HAVING count(DISTINCT case_id) > 1)
UNION ALL
SELECT p.case_id, p.member_no, 'not_authorised', NULL, getvariable('roster'), p.file, p.row
FROM persons p JOIN members m ON p.case_id = m.case_id AND p.member_no = m.member_no
WHERE NOT p.authorised AND m.presence <> 'out'
UNION ALL
SELECT case_id, member_no, 'identity_conflict', NULL, extract, file, row
FROM links WHERE method = 'identity_conflict' AND NOT list_contains(reasons, 'name_of_family')
  AND NOT list_contains(reasons, 'birth_equal')
UNION ALL
SELECT c.case_id, 0, 'late_source', NULL, l.extract, NULL, NULL FROM cases c CROSS JOIN (SELECT min(extract) AS extract FROM late HAVING count(*) > 0) l

-- name: leads
-- Rows that bear a member's name and nothing else to compare, where few people of the register bear that name: they enter
-- no figure, but nobody is settled on their absence (design §1: none is granted or refused because of a blank).
SELECT DISTINCT l.case_id, l.member_no, l.person_id, l.extract, l.file, l.row, l.side
FROM links l
JOIN persons p ON l.case_id = p.case_id AND l.member_no = p.member_no AND p.is_member
JOIN (SELECT name_key, count(*) AS bearers FROM mentions WHERE extract IN (SELECT extract FROM registers) GROUP BY name_key) r
  ON r.name_key = p.name_key
WHERE l.method = 'name_only' AND r.bearers <= getvariable('few_bearers')
