import { DEFINER, NOW_MS } from './functions.ts'

/**
 * The rows that the grant of this transaction allows, per budget: its signature, its expiry, and that it was
 * given to this actor for this act are checked each time, and what is used of it is a row that belongs to one
 * transaction.
 */
export const GRANTS_SQL: string = `
CREATE FUNCTION postern_budgets.open_grant(actor text, tenant text, act text, OUT id text, OUT budgets text[], OUT rows bigint, OUT expires bigint)
${DEFINER} AS $$
DECLARE
  token text := current_setting('postern.grant', true);
  fields text[];
  pads record;
BEGIN
  IF token IS NULL OR token = '' THEN RETURN; END IF;
  fields := string_to_array(token, '|');
  IF cardinality(fields) = 10 AND fields[1] = 'g1' THEN
    SELECT k.inner_pad, k.outer_pad INTO pads FROM postern_budgets.keys AS k WHERE k.kind = 'grant' AND k.id::text = fields[2];
  END IF;
  IF pads.inner_pad IS NULL
     OR encode(sha256(pads.outer_pad || sha256(pads.inner_pad || convert_to(left(token, -65), 'UTF8'))), 'hex') <> fields[10] THEN
    PERFORM postern_budgets.refuse_claim('PB003', 'the grant was not signed with a key of this database', 'Ask for a new approval.');
  END IF;
  IF fields[9]::bigint < ${NOW_MS} THEN
    PERFORM postern_budgets.refuse_claim('PB003', 'the grant has expired', 'Ask for a new approval.');
  END IF;
  IF fields[4] <> actor OR fields[5] <> tenant OR fields[6] <> act THEN
    PERFORM postern_budgets.refuse_claim('PB003', 'the grant was given to another actor or for another act',
      'A grant is good for what was approved, and nothing else.');
  END IF;
  id := fields[3];
  budgets := ARRAY(SELECT postern_budgets.name_of(b) FROM unnest(string_to_array(fields[7], '.')) AS b);
  rows := fields[8]::bigint;
  expires := fields[9]::bigint;
END $$;

-- Takes rows from a grant, for one of its budgets.
CREATE FUNCTION postern_budgets.redeem(g record, actor text, act text, l postern_budgets.limits, n bigint) RETURNS void ${DEFINER} AS $$
DECLARE
  before postern_budgets.redeemed;
  place integer := array_position(g.budgets, l.budget);
BEGIN
  INSERT INTO postern_budgets.redeemed AS r (id, xid, actor, act, budgets, counts, rows, expires)
  VALUES (g.id, pg_current_xact_id(), postern_budgets.name_of(actor), act, g.budgets, array_fill(0::bigint, ARRAY[cardinality(g.budgets)]), g.rows, g.expires)
  -- In a database that was restored, another transaction may have this number.
  ON CONFLICT (id) DO UPDATE SET at = r.at WHERE r.xid = excluded.xid AND r.at >= transaction_timestamp()
  RETURNING * INTO before;
  IF before.id IS NULL THEN
    PERFORM postern_budgets.refuse_claim('PB003', 'the grant was used before', 'Ask for a new approval.');
  END IF;
  IF before.counts[place] + n > g.rows THEN
    PERFORM postern_budgets.refuse(l.id, postern_budgets.name_of(actor), g.rows - before.counts[place], n, ${NOW_MS});
  END IF;
  UPDATE postern_budgets.redeemed AS r SET counts[place] = r.counts[place] + n WHERE r.id = g.id;
END $$;
`
