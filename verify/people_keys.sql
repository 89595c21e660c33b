-- Which person of tonight bears which key of before. Tables here: portraits (tonight's people, from the match), known_keys (what earlier nights
-- knew of each key, in the same columns), name_grades(a, b, grade, how).

-- name: named_alone
-- Names that one person alone bears in a case: tonight, and among the keys of last night and those of before it.
SELECT case_id, name_key, min(person_id) AS who, FALSE AS old, TRUE AS here FROM portraits WHERE name_key IS NOT NULL
GROUP BY case_id, name_key HAVING count(DISTINCT person_id) = 1
UNION ALL
SELECT case_id, name_key, min(person_key), TRUE, here FROM known_keys WHERE name_key IS NOT NULL
GROUP BY case_id, name_key, here HAVING count(DISTINCT person_key) = 1

-- name: born_alone
-- The same of name, birth date and sex, wherever they live.
SELECT name_key, birth, sex, min(person_id) AS who, FALSE AS old FROM portraits WHERE birth IS NOT NULL AND name_key IS NOT NULL AND sex IS NOT NULL
GROUP BY name_key, birth, sex HAVING count(DISTINCT person_id) = 1
UNION ALL
SELECT name_key, birth, sex, min(person_key), TRUE FROM known_keys WHERE birth IS NOT NULL AND name_key IS NOT NULL AND sex IS NOT NULL
GROUP BY name_key, birth, sex HAVING count(DISTINCT person_key) = 1

-- name: ties
-- Every key and person that anything ties, and by what; `places` counts the places on the roster that both have.
SELECT k.person_key, p.person_id, 'id' AS tie, 0 AS places FROM known_keys k JOIN portraits p ON k.id18 = p.id18
UNION
SELECT k.person_key, p.person_id, 'id15', 0 FROM known_keys k JOIN portraits p ON k.id15 = p.id15
UNION
SELECT k.person_key, p.person_id, 'place', count(DISTINCT (k.case_id, k.member_no))
FROM known_keys k JOIN portraits p ON k.case_id = p.case_id AND k.member_no = p.member_no GROUP BY k.person_key, p.person_id
UNION
SELECT k.person_key, p.person_id, 'place_name', 0
FROM known_keys k JOIN portraits p ON k.case_id = p.case_id AND k.member_no = p.member_no AND k.name_key = p.name_key
UNION
SELECT o.who, n.who, 'case_name', 0 FROM named_alone o JOIN named_alone n ON o.case_id = n.case_id AND o.name_key = n.name_key WHERE o.old AND NOT n.old
UNION
SELECT o.who, n.who, 'born', 0 FROM born_alone o JOIN born_alone n ON o.name_key = n.name_key AND o.birth = n.birth AND o.sex = n.sex WHERE o.old AND NOT n.old

-- name: names_of_ties
SELECT k.name_key, p.name_key FROM (SELECT DISTINCT person_key, person_id FROM ties) t JOIN known_keys k USING (person_key) JOIN portraits p USING (person_id)

-- name: weighed
-- `sure`: 1 an own valid ID, and the name agrees or the place is the same; 2 the same of fifteen digits, where not both have eighteen; 3 case, number
-- and name; 4 the name that one alone bears in the case; 5 case and number, the name one slip off. From 3 on not where both have valid IDs
-- and no common one, nor two birth dates. 9: perhaps the same, and nobody can say. A slip counts only where nothing better ties either.
WITH graded AS (
  SELECT t.person_key, t.person_id, max(CASE WHEN k.name_key = p.name_key THEN 4 ELSE coalesce(x.grade, 0) END) AS grade
  FROM (SELECT DISTINCT person_key, person_id FROM ties) t JOIN known_keys k USING (person_key) JOIN portraits p USING (person_id)
  LEFT JOIN name_grades x ON x.a = least(k.name_key, p.name_key) AND x.b = greatest(k.name_key, p.name_key)
  WHERE k.name_key IS NOT NULL AND p.name_key IS NOT NULL GROUP BY t.person_key, t.person_id
), tied AS (
  SELECT person_key, person_id, bool_or(tie = 'id') AS id, bool_or(tie = 'id15') AS id15, max(places) AS places, bool_or(tie = 'place_name') AS place_name,
         bool_or(tie = 'case_name') AS case_name, bool_or(tie = 'born') AS born
  FROM ties GROUP BY person_key, person_id
), people AS (
  SELECT person_id, min((case_id, member_no)) AS first, count(id18) > 0 AS numbered, min(birth) AS birth FROM portraits GROUP BY person_id
), bearers AS (
  SELECT person_key, min(since) AS since, bool_or(here) AS here, count(id18) > 0 AS numbered, min(birth) AS birth FROM known_keys GROUP BY person_key
), judged AS (
  SELECT t.*, b.since, b.here, p.first, coalesce(g.grade, 0) AS grade, b.numbered AND p.numbered AND NOT t.id AS two_numbers, (b.birth <> p.birth) IS TRUE AS two_births
  FROM tied t JOIN bearers b USING (person_key) JOIN people p USING (person_id) LEFT JOIN graded g ON g.person_key = t.person_key AND g.person_id = t.person_id
), sure AS (
  SELECT *, CASE WHEN id AND (grade >= 2 OR places > 0) THEN 1
                 WHEN id15 AND NOT two_numbers AND (grade >= 2 OR places > 0) THEN 2
                 WHEN NOT two_numbers AND NOT two_births AND place_name THEN 3
                 WHEN NOT two_numbers AND NOT two_births AND case_name THEN 4
                 WHEN NOT two_numbers AND NOT two_births AND places > 0 AND grade >= 2 THEN 5
                 WHEN id OR id15 OR case_name OR (places > 0 AND grade >= 1) OR (born AND NOT two_numbers) THEN 9 END AS sure
  FROM judged
), best AS (
  SELECT *, min(sure) OVER (PARTITION BY person_key) AS of_key, min(sure) OVER (PARTITION BY person_id) AS of_person FROM sure WHERE sure IS NOT NULL
)
SELECT person_key, person_id, since, here, CASE WHEN sure = 5 AND least(of_key, of_person) < 5 THEN 9 ELSE sure END AS sure FROM best
ORDER BY NOT here, CASE WHEN sure <= 2 THEN 1 WHEN sure <= 4 THEN 2 ELSE sure END, places DESC, sure, since, person_key, first, person_id

-- name: keyed
-- A line for each place on the roster: its key, since when, and what became of it tonight.
SELECT p.case_id, p.member_no, k.person_key, k.since, k.how, k.merged, k.split_from, k.perhaps
FROM (SELECT DISTINCT case_id, member_no, person_id FROM portraits) p JOIN given_keys k USING (person_id) ORDER BY p.case_id, p.member_no

-- name: known
-- What tonight knows of each key, and what is still kept of those who are not here.
SELECT k.person_key, k.since, getvariable('as_of')::DATE AS seen, TRUE AS here, p.case_id, p.member_no, p.name_key, p.id18, p.id15, p.birth, p.sex
FROM portraits p JOIN given_keys k USING (person_id)
UNION ALL
SELECT * REPLACE (FALSE AS here) FROM known_keys
WHERE person_key NOT IN (SELECT person_key FROM given_keys) AND date_diff('day', seen, getvariable('as_of')::DATE) <= getvariable('kept_days')
ORDER BY ALL
