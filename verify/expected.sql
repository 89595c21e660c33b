-- The register held against itself. Tables here: mentions (from faces.py), accepted_links (the night's links), crowd_alike.

-- name: crowd_alike
-- Of each kind of evidence: the people of the register, and the ordered pairs of two of them that agree in it and in the name.
WITH crowd AS (
  SELECT name_key, id15, left(id_key, 14) AS head, coalesce(birth, id_birth) AS born, coalesce(sex, id_sex) AS gender, household,
         CASE WHEN id_state = 'valid18' THEN id_key ELSE extract || ':' || file || ':' || row END AS ident
  FROM mentions WHERE extract IN (SELECT unnest(?::VARCHAR[])) AND name_key IS NOT NULL
), alike AS (
  SELECT 'id' AS evidence, count(DISTINCT ident) AS n FROM crowd WHERE id15 IS NOT NULL GROUP BY name_key, id15
  UNION ALL SELECT 'head', count(DISTINCT ident) FROM crowd WHERE head IS NOT NULL GROUP BY name_key, head
  UNION ALL SELECT 'birth', count(DISTINCT ident) FROM crowd WHERE born IS NOT NULL AND gender IS NOT NULL GROUP BY name_key, born, gender
  UNION ALL SELECT 'household', count(DISTINCT ident) FROM crowd WHERE household IS NOT NULL GROUP BY name_key, household
)
SELECT evidence, sum(n)::BIGINT AS people, sum(n * (n - 1))::BIGINT AS pairs FROM alike GROUP BY evidence

-- name: expected_false
-- A row is counted once, however many cases list its person. A joint document ties to the household, whose names are what can mislead.
WITH rests_on(method, evidence) AS (
  VALUES ('exact_id', 'id'), ('exact_id15', 'id'), ('corrected_id', 'head'), ('name_birth_sex', 'birth'), ('name_household', 'household'), ('name_document', 'household')
), counted AS (
  SELECT method, count(DISTINCT (extract, file, row, coalesce(side, ''))) AS accepted FROM accepted_links WHERE status = 'accepted' GROUP BY method
)
SELECT c.method, c.accepted, coalesce(a.people, 0) AS people, coalesce(a.pairs, 0) AS pairs,
       CASE WHEN r.evidence IS NULL THEN 0 WHEN coalesce(a.people, 0) = 0 THEN NULL ELSE (1000 * c.accepted * a.pairs + a.people // 2) // a.people END AS wrong
FROM counted c LEFT JOIN rests_on r USING (method) LEFT JOIN crowd_alike a USING (evidence)
ORDER BY c.method
