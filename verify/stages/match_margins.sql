-- How far each link stands from the next person its row could speak of. Tables here: lines, verdicts, faces, family, crowd,
-- name_grades, graded_hits, rivals_wanted, documents, document_pairs, known_people, link_weights, one, best (from match.sql).
-- Leads by a name alone, or under another valid ID, and what officers have ruled out leave nobody in question.

-- name: judged
SELECT * FROM one WHERE method NOT IN ('name_only', 'other_id', 'officer_not')

-- name: fitting_faces
-- People beside the roster's whom a face fits by the same evidence: near its invalid ID, of its birth date and sex, or the holder of
-- the ID beside the name of another of the family. Without those for whom, whichever its row, the night has judged it itself.
WITH fitting AS (
  SELECT r.fno, c.ident, c.name_key, r.hit AS method, f.birth, c.born, f.sex, c.gender,
         CASE WHEN f.name_key IS NULL THEN 'name_absent' WHEN f.name_key = c.name_key THEN 'name_equal' WHEN f.name_key = c.former_key THEN 'name_former'
              ELSE x.how END AS name_reason
  FROM rivals_wanted r JOIN faces f USING (fno) JOIN crowd c USING (rid)
  LEFT JOIN name_grades x ON x.a = least(f.name_key, c.name_key) AND x.b = greatest(f.name_key, c.name_key)
  WHERE f.name_key IS NULL OR f.name_key IN (c.name_key, c.former_key) OR x.grade >= 2
  UNION
  SELECT h.fno, y.ident, NULL, 'identity_conflict', NULL, NULL, NULL, NULL, 'name_foreign'
  FROM graded_hits h JOIN faces f USING (fno) JOIN family y ON y.pno = h.pno AND (y.id_key = f.id_key OR y.id15 = f.id15)
  WHERE h.hit = 'family_id'
), settled AS (
  SELECT v.fno, k.ident FROM verdicts v JOIN known_people k USING (pno) WHERE v.status <> 'rejected' AND k.is_member AND k.authorised
)
SELECT * FROM fitting t ANTI JOIN settled s ON s.fno = t.fno AND s.ident = t.ident

-- name: fitting_documents
-- Others of the family whose name a row of a joint document agrees with.
SELECT DISTINCT p.extract, p.file, p.row, p.side, y.ident, y.name_key, CASE WHEN y.name_key = p.name_key THEN 'name_equal' ELSE 'name_slip' END AS name_reason
FROM document_pairs p JOIN family y ON y.pno = p.pno AND y.ident <> p.anchor
LEFT JOIN name_grades x ON x.a = least(p.name_key, y.name_key) AND x.b = greatest(p.name_key, y.name_key)
WHERE y.name_key = p.name_key OR x.grade >= 2

-- name: besides
-- The same by row, and what each weighs, as a link would: of rows that somebody else is judged for, for most faces are nobody's of a case.
WITH rows_of AS (
  SELECT m.extract, m.file, m.row, m.side, t.ident, t.name_key, t.method, t.name_reason,
         CASE WHEN (t.birth = t.born) IS NULL THEN 'nothing' WHEN t.birth = t.born THEN 'equal' ELSE 'other' END AS birth,
         CASE WHEN (t.sex = t.gender) IS NULL THEN 'nothing' WHEN t.sex = t.gender THEN 'equal' ELSE 'other' END AS sex
  FROM lines m JOIN fitting_faces t USING (fno)
  UNION ALL
  SELECT extract, file, row, side, ident, name_key, 'name_document', name_reason, 'nothing', 'nothing' FROM fitting_documents
), wanted AS (
  SELECT t.* FROM rows_of t
  SEMI JOIN judged j ON j.extract = t.extract AND j.file = t.file AND j.row = t.row AND j.side = t.side
  ANTI JOIN one o ON o.extract = t.extract AND o.file = t.file AND o.row = t.row AND o.side = t.side AND o.ident = t.ident
)
SELECT t.extract, t.file, t.row, t.side, t.ident, t.method,
       w.bits + CASE WHEN t.name_reason IN ('name_equal', 'name_agrees', 'name_homophone') THEN coalesce(n.bits, r.bits, 0) ELSE 0 END AS score
FROM wanted t JOIN link_weights w USING (method, name_reason, birth, sex)
LEFT JOIN name_weights n ON n.name_key = t.name_key LEFT JOIN (SELECT bits FROM name_weights WHERE name_key IS NULL) r ON TRUE

-- name: contested
-- The rows that more than one person is in question for: few, and of the others nothing below is asked.
SELECT extract, file, row, side FROM judged GROUP BY ALL HAVING min(ident) <> max(ident)
UNION SELECT extract, file, row, side FROM besides

-- name: in_question
-- The two who fit each of them best: `n` 1 and 2. Whom the night has judged is told by that.
WITH every AS (
  SELECT j.extract, j.file, j.row, j.side, j.ident, j.method, j.score, j.case_id, j.member_no FROM judged j SEMI JOIN contested USING (extract, file, row, side)
  UNION ALL
  SELECT extract, file, row, side, ident, method, score, NULL::VARCHAR, NULL::BIGINT FROM besides
), each AS (
  SELECT * FROM every
  QUALIFY row_number() OVER (PARTITION BY extract, file, row, side, ident ORDER BY score DESC, case_id NULLS LAST, member_no, method) = 1
)
SELECT *, row_number() OVER (PARTITION BY extract, file, row, side ORDER BY score DESC, case_id NULLS LAST, member_no, method, ident) AS n FROM each
QUALIFY n <= 2

-- name: margins
-- A line for each link of a row that more than one person is in question for. Of somebody who is on no list only the weight is told.
WITH m AS (
  SELECT b.*, k.ident FROM best b JOIN known_people k USING (pno) WHERE b.method NOT IN ('name_only', 'other_id', 'officer_not')
), o AS (
  SELECT m.*, q.score AS second, q.method AS second_method, q.case_id AS second_case, q.member_no AS second_member
  FROM m JOIN in_question q ON q.extract = m.extract AND q.file = m.file AND q.row = m.row AND q.side = m.side AND q.ident <> m.ident
  QUALIFY row_number() OVER (PARTITION BY m.extract, m.file, m.row, m.side, m.pno ORDER BY q.n) = 1
)
SELECT extract, file, row, coalesce(side, '') AS side, case_id, member_no, score, second::BIGINT AS second, (score - second)::BIGINT AS ahead, second_method, second_case, second_member
FROM o ORDER BY extract, file, row, side, case_id, member_no
