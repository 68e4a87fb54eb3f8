/**
 * The counts, in a table that is not written to the log: it is empty after a crash of the server, and then
 * every limit starts again. `step` is the sub-window's length, 0 for a GCRA, whose theoretical arrival time
 * is `newest`.
 */
const TABLE = `
CREATE UNLOGGED TABLE postern_limits (
  key text PRIMARY KEY,
  step float8 NOT NULL,
  newest float8 NOT NULL,
  counts float8[] NOT NULL,
  expires float8 NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX postern_limits_expires ON postern_limits (expires);
`

/**
 * One call for all decisions of a tick; see `LimitBatch` for what goes in and out. One upsert over all keys,
 * in their order so that two calls cannot wait for each other, creates and locks them; then the decisions are
 * made one after the other, on the server's clock, and one update writes what changed.
 */
const DECIDE = `
CREATE FUNCTION postern_limits_decide(keys text[], rules float8[], decisions float8[], at_time float8)
RETURNS float8[] LANGUAGE plpgsql AS $$
DECLARE
  many int := cardinality(keys);
  size int := cardinality(decisions);
  moment float8;
  held record;
  steps float8[] := array_fill(-1::float8, ARRAY[many]);
  latest float8[] := array_fill(0::float8, ARRAY[many]);
  tallies float8[] := array_fill(0::float8, ARRAY[many * 9]);
  changed boolean[] := array_fill(false, ARRAY[many]);
  reply float8[];
  place int := 1;
  head float8;
  form text;
  asks int;
  k int; r int; base int; passed int; age int;
  ask_key int[]; ask_rule int[]; ask_cost float8[]; ask_want float8[]; lefts float8[];
  span float8; gap float8; used float8; needed float8; freed float8; opens float8; units float8; ticket float8;
  refused int;
BEGIN
  FOR held IN
    INSERT INTO postern_limits AS l (key, step, newest, counts, expires)
    SELECT u.key, -1, 0, '{}', 0 FROM unnest(keys) AS u (key) ORDER BY u.key
    ON CONFLICT (key) DO UPDATE SET expires = l.expires
    RETURNING l.key, l.step, l.newest, l.counts
  LOOP
    k := array_position(keys, held.key);
    steps[k] := held.step;
    latest[k] := held.newest;
    IF cardinality(held.counts) = 9 THEN tallies[k * 9 - 8 : k * 9] := held.counts; END IF;
  END LOOP;
  moment := CASE WHEN at_time < 0 THEN extract(epoch FROM clock_timestamp()) * 1000 ELSE at_time END;
  reply := ARRAY[floor(moment * 1000)];

  WHILE place <= size LOOP
    head := decisions[place];
    IF head >= 0 THEN
      form := 'unit'; asks := 1;
      ask_key := ARRAY[(head::bigint % 1024)::int + 1];
      ask_rule := ARRAY[floor(head / 1024)::int * 3];
      ask_cost := ARRAY[1]; ask_want := ARRAY[1];
      place := place + 1;
    ELSIF head = -99 THEN
      form := 'release'; asks := 1;
      ask_key := ARRAY[decisions[place + 1]::int + 1];
      ask_rule := ARRAY[decisions[place + 2]::int * 3];
      ask_cost := ARRAY[0]; ask_want := ARRAY[0];
      units := decisions[place + 3]; ticket := decisions[place + 4];
      place := place + 5;
    ELSE
      form := 'many'; asks := -head;
      FOR i IN 1..asks LOOP
        ask_key[i] := decisions[place + i * 4 - 3]::int + 1;
        ask_rule[i] := decisions[place + i * 4 - 2]::int * 3;
        ask_cost[i] := decisions[place + i * 4 - 1];
        ask_want[i] := decisions[place + i * 4];
      END LOOP;
      place := place + 1 + asks * 4;
    END IF;

    refused := -1;
    FOR i IN 1..asks LOOP
      k := ask_key[i]; r := ask_rule[i]; base := k * 9 - 9;
      span := rules[r + 2]; gap := rules[r + 3];
      IF span > 0 THEN
        IF steps[k] <> span THEN
          steps[k] := span; latest[k] := floor(moment / span);
          FOR j IN 1..9 LOOP tallies[base + j] := 0; END LOOP;
        ELSIF floor(moment / span) > latest[k] THEN
          passed := least(9, floor(moment / span) - latest[k]);
          FOR j IN REVERSE 9..1 LOOP
            tallies[base + j] := CASE WHEN j > passed THEN tallies[base + j - passed] ELSE 0 END;
          END LOOP;
          latest[k] := floor(moment / span);
        END IF;
        used := 0;
        FOR j IN 1..9 LOOP used := used + tallies[base + j]; END LOOP;
        lefts[i] := rules[r + 1] - used;
      ELSE
        IF steps[k] <> 0 THEN steps[k] := 0; latest[k] := 0; END IF;
        lefts[i] := rules[r + 1] - greatest(0, latest[k] - moment) / gap + 1e-6;
      END IF;
      IF refused < 0 AND ask_cost[i] > lefts[i] AND ask_cost[i] > 0 THEN refused := i - 1; END IF;
    END LOOP;

    IF form = 'release' THEN
      age := latest[k] - ticket;
      IF age BETWEEN 0 AND 8 THEN
        tallies[base + age + 1] := greatest(0, tallies[base + age + 1] - units);
        changed[k] := true;
      END IF;
      CONTINUE;
    END IF;
    IF form = 'many' THEN reply := reply || refused::float8; END IF;

    FOR i IN 1..asks LOOP
      k := ask_key[i]; r := ask_rule[i]; base := k * 9 - 9;
      span := rules[r + 2]; gap := rules[r + 3];
      IF refused >= 0 OR ask_cost[i] = 0 THEN
        needed := greatest(1, ask_cost[i]) - lefts[i];
        IF needed <= 0 THEN opens := 0;
        ELSIF span = 0 THEN opens := ceil(needed * gap);
        ELSE
          opens := ceil(9 * span); freed := 0;
          FOR j IN REVERSE 9..1 LOOP
            freed := freed + tallies[base + j];
            IF freed >= needed THEN
              opens := ceil((latest[k] + 10 - j) * span - moment);
              EXIT;
            END IF;
          END LOOP;
        END IF;
        IF form = 'unit' THEN reply := reply || (-1 - opens);
        ELSE reply := reply || floor(greatest(0, lefts[i])) || opens;
        END IF;
      ELSE
        units := greatest(ask_cost[i], least(ask_want[i], floor(lefts[i])));
        IF span = 0 THEN latest[k] := greatest(moment, latest[k]) + units * gap;
        ELSE tallies[base + 1] := tallies[base + 1] + units;
        END IF;
        changed[k] := true;
        reply := reply || floor(lefts[i] - units);
        IF ask_want[i] > ask_cost[i] THEN reply := reply || units; END IF;
      END IF;
    END LOOP;
  END LOOP;

  UPDATE postern_limits AS l
  SET step = steps[u.i], newest = latest[u.i], counts = tallies[u.i * 9 - 8 : u.i * 9],
      expires = CASE WHEN steps[u.i] = 0 THEN latest[u.i] ELSE moment + steps[u.i] * 10 END
  FROM unnest(keys) WITH ORDINALITY AS u (key, i)
  WHERE l.key = u.key AND changed[u.i];
  RETURN reply;
END $$;
`

/** What the store needs in the database. */
export const LIMITS_SCHEMA: string = TABLE + DECIDE

/** Removes keys whose window has passed, a thousand at a time; those in use are left alone. */
export const FORGET_EXPIRED = `
DELETE FROM postern_limits WHERE key IN (
  SELECT key FROM postern_limits
  WHERE expires < CASE WHEN $1::float8 < 0::float8 THEN extract(epoch FROM clock_timestamp())::float8 * 1000::float8 ELSE $1::float8 END - 60000::float8
  ORDER BY expires LIMIT 1000 FOR UPDATE SKIP LOCKED
)`
