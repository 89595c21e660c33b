-- Evidence that a crowd shares. Tables here: declared, register, person_rows (from identities.py), faces, compared, person_names,
-- known_people (from match.py). The limits are variables: many_of_id and so on.

-- name: crowded_ids
-- A number that more than a few people of the roster declare, or that so many rows of the register have, is nobody's.
SELECT id_key FROM declared WHERE id_key IS NOT NULL GROUP BY id_key HAVING count(DISTINCT pno) > getvariable('many_of_id')
UNION
SELECT r.id_key FROM register r SEMI JOIN declared d ON d.id_key = r.id_key GROUP BY r.id_key HAVING count(*) > getvariable('many_of_id')

-- name: no_number_of_register
UPDATE register SET born = CASE WHEN strftime(born, '%Y%m%d') = substr(id_key, 7, 8) THEN NULL ELSE born END,
       ident = 'R' || extract || ':' || file || ':' || row, id_key = NULL, id15 = NULL, id_state = 'none'
WHERE id_key IN (FROM crowded_ids)

-- name: no_number_of_declared
UPDATE declared SET id_key = NULL, id15 = NULL, id_state = 'none', id_birth = NULL, id_sex = NULL WHERE id_key IN (FROM crowded_ids)

-- name: no_number_of_faces
UPDATE faces SET id_key = NULL, id15 = NULL, id_state = 'none', id_birth = NULL, id_sex = NULL WHERE id_key IN (FROM crowded_ids)

-- name: crowded_births
-- Of these the name must be equal, for nobody can be found among so many by a birth date.
SELECT id_birth FROM declared WHERE id_birth IS NOT NULL GROUP BY id_birth HAVING count(DISTINCT pno) > getvariable('many_of_birth')

-- name: crowded_twins
SELECT name_key, id_birth FROM declared WHERE id_birth IN (FROM crowded_births)
GROUP BY name_key, id_birth HAVING count(DISTINCT pno) > getvariable('many_of_name')

-- name: crowded_homes
SELECT r.household FROM register r
SEMI JOIN (SELECT DISTINCT k.household FROM person_rows a JOIN register k USING (rid) WHERE a.status = 'accepted') h ON h.household = r.household
GROUP BY r.household HAVING count(*) > getvariable('many_of_home')

-- name: no_home
UPDATE register SET household = NULL WHERE household IN (FROM crowded_homes)

-- name: names_apart
-- The names of the roster's people by which a lead can still be followed.
SELECT n.* FROM person_names n
ANTI JOIN (SELECT o.name_key FROM person_names o JOIN known_people k USING (pno) GROUP BY o.name_key
           HAVING count(DISTINCT k.ident) > getvariable('many_of_name')) c ON c.name_key = n.name_key

-- name: born_together
SELECT birth FROM compared WHERE birth IS NOT NULL GROUP BY birth HAVING count(DISTINCT ident) > getvariable('many_of_birth')

-- name: compared_apart
SELECT * FROM compared WHERE birth IS NULL OR birth NOT IN (FROM born_together)

-- name: compared_crowd
-- People of a birth date that a crowd has, with each name that few of them bear.
SELECT DISTINCT k.pno, k.birth, k.sex, n.name_key FROM compared k JOIN names_apart n USING (pno) WHERE k.birth IN (FROM born_together)
