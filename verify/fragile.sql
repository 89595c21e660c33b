-- Copies of cases in which one thing about a row is otherwise: it is gone, or surely theirs. Tables here: cases, members, links,
-- absent, leads, late, absences (from group); copies(case_id, copy) and otherwise(copy, extract, file, row, status), whose
-- status is 'gone' or 'accepted'.

-- name: links
INSERT INTO links
SELECT l.* REPLACE (c.copy AS case_id, coalesce(o.status, l.status) AS status)
FROM links l JOIN copies c ON l.case_id = c.case_id
LEFT JOIN otherwise o ON o.copy = c.copy AND o.extract = l.extract AND o.file = l.file AND o.row = l.row AND l.status <> 'rejected'
WHERE o.status IS DISTINCT FROM 'gone'

-- name: absent
INSERT INTO absent
SELECT c.copy, a.* EXCLUDE (case_id) REPLACE (CASE WHEN o.status = 'accepted' THEN coalesce(b.applies, FALSE) ELSE a.sure END AS sure)
FROM absent a JOIN copies c ON a.case_id = c.case_id
LEFT JOIN otherwise o ON o.copy = c.copy AND o.extract = a.extract AND o.file = a.file AND o.row = a.row
LEFT JOIN absences b ON b.extract = a.extract AND b.file = a.file AND b.row = a.row
WHERE o.status IS DISTINCT FROM 'gone'

-- name: members
INSERT INTO members
SELECT m.* REPLACE (c.copy AS case_id,
                    CASE WHEN coalesce(a.sure, FALSE) THEN 'out'
                         WHEN a.case_id IS NOT NULL OR EXISTS (SELECT 1 FROM late WHERE decides_members) THEN 'possible'
                         ELSE 'certain' END AS presence)
FROM members m JOIN copies c ON m.case_id = c.case_id
LEFT JOIN (SELECT case_id, member_no, bool_or(sure) AS sure FROM absent GROUP BY ALL) a ON a.case_id = c.copy AND a.member_no = m.member_no

-- name: cases
INSERT INTO cases
SELECT k.* REPLACE (c.copy AS case_id, coalesce(n.low, 0) AS members_low, CASE WHEN NOT k.open_upwards THEN coalesce(n.high, 0) END AS members_high)
FROM cases k JOIN copies c ON k.case_id = c.case_id
LEFT JOIN (SELECT case_id, count(*) FILTER (WHERE presence = 'certain') AS low, count(*) FILTER (WHERE presence <> 'out') AS high
           FROM members GROUP BY case_id) n ON n.case_id = c.copy

-- name: leads
INSERT INTO leads SELECT l.* REPLACE (c.copy AS case_id) FROM leads l JOIN copies c ON l.case_id = c.case_id
