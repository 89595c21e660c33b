-- Leads: rows that bear only a member's name enter no figure. But a case is not settled on their absence: each case with
-- leads is worked out once more as a shadow in which they count as grey, [0, amount]. Where the shadow cannot be settled,
-- neither is the case, and it shows the shadow's tests and needs. Then the shadows are taken away.

-- name: raise shadows
CREATE OR REPLACE TABLE shadows AS SELECT DISTINCT case_id, case_id || chr(31) || 'leads' AS shadow FROM leads

-- name: raise links
INSERT INTO links
SELECT l.* REPLACE (s.shadow AS case_id, CASE WHEN d.case_id IS NULL THEN l.status ELSE 'review' END AS status)
FROM links l JOIN shadows s USING (case_id)
LEFT JOIN leads d ON l.case_id = d.case_id AND l.member_no = d.member_no AND l.extract = d.extract AND l.file = d.file
                 AND l.row = d.row AND l.side = d.side

-- name: raise absent
INSERT INTO absent
SELECT s.shadow, a.* EXCLUDE (case_id) FROM absent a JOIN shadows s USING (case_id)
UNION ALL
SELECT s.shadow, d.member_no, a.kind, d.extract, d.file, d.row, a.since, FALSE
FROM leads d JOIN shadows s USING (case_id)
JOIN absences a ON d.extract = a.extract AND d.file = a.file AND d.row = a.row AND a.applies IS DISTINCT FROM FALSE

-- name: raise members
INSERT INTO members
SELECT m.* REPLACE (s.shadow AS case_id,
                    CASE WHEN m.presence = 'certain' AND EXISTS (SELECT 1 FROM absent a WHERE a.case_id = s.shadow AND a.member_no = m.member_no)
                         THEN 'possible' ELSE m.presence END AS presence)
FROM members m JOIN shadows s USING (case_id)

-- name: raise cases
INSERT INTO cases
SELECT c.* REPLACE (s.shadow AS case_id,
                    (SELECT count(*) FROM members m WHERE m.case_id = s.shadow AND m.presence = 'certain') AS members_low)
FROM cases c JOIN shadows s USING (case_id)

-- name: lay overturned
CREATE OR REPLACE TABLE overturned AS
SELECT s.case_id, s.shadow FROM shadows s
JOIN decisions own ON own.case_id = s.case_id JOIN decisions dark ON dark.case_id = s.shadow
WHERE own.category <> dark.category OR own.open_tests <> dark.open_tests OR own.needs <> dark.needs

-- name: lay decisions
CREATE OR REPLACE TABLE decisions AS
SELECT coalesce(o.case_id, d.case_id) AS case_id, d.category, d.open_tests, d.needs
FROM decisions d LEFT JOIN overturned o ON d.case_id = o.shadow
WHERE d.case_id NOT IN (SELECT case_id FROM overturned)
  AND (o.shadow IS NOT NULL OR d.case_id NOT IN (SELECT shadow FROM shadows))

-- name: lay tests
CREATE OR REPLACE TABLE tests AS
SELECT t.* REPLACE (coalesce(o.case_id, t.case_id) AS case_id)
FROM tests t LEFT JOIN overturned o ON t.case_id = o.shadow
WHERE t.case_id NOT IN (SELECT case_id FROM overturned)
  AND (o.shadow IS NOT NULL OR t.case_id NOT IN (SELECT shadow FROM shadows))

-- name: clear
DELETE FROM {table} WHERE case_id IN (SELECT shadow FROM shadows)
