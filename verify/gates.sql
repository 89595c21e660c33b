-- Questions that must find nothing; a statement's name is the problem's code. Tables: links, persons, mentions,
-- free_extracts(extract) after the match; cases, decisions, trace (all values), proof (all evidence) after assess; raised after watch.

-- name: E-GATE-TWO-OWNERS
-- One side of one row was accepted for two different people.
SELECT extract, file, row, side FROM links WHERE status = 'accepted' GROUP BY ALL HAVING count(DISTINCT person_id) > 1

-- name: E-GATE-UNAUTHORISED
-- A row of somebody who has signed no valid authorisation, from an extract that may not be read without one.
SELECT l.case_id FROM links l JOIN persons p ON l.case_id = p.case_id AND l.member_no = p.member_no
WHERE NOT p.authorised AND l.status <> 'rejected' AND l.extract NOT IN (SELECT extract FROM free_extracts)

-- name: E-GATE-NAME-ALONE
-- A row accepted for a person that says nothing but a name (P10): no ID, no birth date, no household, no document. What an officer
-- has decided was seen on paper.
SELECT l.case_id FROM links l JOIN mentions m ON l.extract = m.extract AND l.file = m.file AND l.row = m.row AND l.side = m.side
WHERE l.status = 'accepted' AND l.method <> 'officer' AND m.id_key IS NULL AND m.birth IS NULL AND m.household IS NULL AND m.document IS NULL

-- name: E-GATE-DECIDED-ONCE
-- A case without a decision, or with two.
SELECT c.case_id FROM cases c LEFT JOIN decisions d ON c.case_id = d.case_id GROUP BY c.case_id HAVING count(d.case_id) <> 1

-- name: E-GATE-INTERVAL
-- A value whose low bound lies above its high bound, or that has no low bound.
SELECT case_id FROM trace WHERE truth IS NULL AND (low > high OR (low IS NULL AND scale IS NOT NULL))

-- name: E-GATE-EVIDENCE
-- A row behind a figure that no link, and no case's own file, gives to that person.
SELECT e.case_id FROM proof e WHERE e.person_id IS NOT NULL AND NOT EXISTS (
  SELECT 1 FROM links l WHERE l.extract = e.extract AND l.file = e.file AND l.row = e.row AND l.case_id = e.case_id
  AND l.person_id = e.person_id AND l.status <> 'rejected')

-- name: E-GATE-ALERT-CASE
-- An alert of a case that is not there.
SELECT r.case_id FROM raised r WHERE r.case_id NOT IN (SELECT case_id FROM cases)
