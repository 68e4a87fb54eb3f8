import { CLAIM_KEY, otherClaim, type Target, type Way } from './target.ts'

const ACT = 'a'.repeat(64)
const CLAIM = ['PB002']
const GRANT = ['PB003']

/** A way that is one deletion under a claim that should not hold. */
function claimed(name: string, claim: (target: Target) => string): Way {
  return {
    name,
    stoppedBy: CLAIM,
    allowed: 0,
    run: async target => {
      const session = await target.app()
      await session.query('BEGIN')
      await target.take(session, claim(target))
      await target.run(session, 'DELETE FROM orders WHERE id <= 50', 'COMMIT')
    },
  }
}

/** A way that is a deletion of 100 rows under a grant that should not hold. */
function granted(name: string, grant: (target: Target) => string, stoppedBy = GRANT, act = ACT): Way {
  return {
    name,
    stoppedBy,
    allowed: 0,
    run: async target => {
      await target.transaction(['DELETE FROM orders WHERE id <= 100'], { act, grant: grant(target) })
    },
  }
}

const changed = (text: string, place: number, value: string): string =>
  text
    .split('|')
    .map((field, i) => (i === place ? value : field))
    .join('|')

/** Who acts, and what was approved: forged, stolen, used again, changed under way. */
export const CLAIM_WAYS: readonly Way[] = [
  {
    name: 'no claim at all',
    stoppedBy: CLAIM,
    allowed: 0,
    run: async target => target.run(await target.app(), 'DELETE FROM orders WHERE id = 1'),
  },
  claimed('an empty claim', () => ''),
  claimed('a claim that says exempt', () => 'exempt'),
  claimed('a claim of text', () => 'c1|||||||'),
  claimed('a claim with SQL in it', () => "c1|1'); DELETE FROM orders; --|9|a|b|c|d|e"),
  claimed('a claim of a megabyte', target => target.place.claim() + '0'.repeat(1_000_000)),
  claimed('a claim of NULL fields', () => '|'.repeat(7)),
  claimed('the name of another actor in a signed claim', t =>
    changed(t.place.claim(), 4, Buffer.from('user:bob').toString('hex')),
  ),
  claimed('another tenant in a signed claim', t =>
    changed(t.place.claim(), 5, Buffer.from('beta').toString('hex')),
  ),
  claimed('a later expiry in a signed claim', t =>
    changed(t.place.claim(), 2, String(Date.now() + 1_000_000)),
  ),
  claimed('another nonce in a signed claim', t => changed(t.place.claim(), 3, 'ff'.repeat(16))),
  claimed('a signed claim with further fields', t => `${t.place.claim()}|x`),
  claimed('a signature in capitals', t =>
    changed(t.place.claim(), 7, t.place.claim().split('|')[7]?.toUpperCase() ?? ''),
  ),
  claimed('a claim signed with a guessed key', () =>
    otherClaim({ id: 1, secret: new Uint8Array(32).fill(9) }),
  ),
  claimed('a claim signed with the key of all zeros', () =>
    otherClaim({ id: 1, secret: new Uint8Array(32) }),
  ),
  claimed('a claim of a key that was never installed', () => otherClaim({ id: 2, secret: CLAIM_KEY.secret })),
  claimed('a claim that has expired', () => otherClaim(CLAIM_KEY, -600_000)),
  claimed('a claim from the future', () => otherClaim(CLAIM_KEY, 36_000_000)),
  claimed('a grant in place of a claim', t => t.grant()),
  {
    name: 'a claim used again after its transaction',
    stoppedBy: CLAIM,
    allowed: 1,
    run: async target => {
      const claim = target.place.claim()
      for (const [i, session] of [await target.app(), await target.session()].entries()) {
        await session.query('BEGIN')
        await target.take(session, claim)
        await target.run(session, `DELETE FROM orders WHERE id = ${i + 1}`, 'COMMIT')
      }
    },
  },
  {
    name: 'a claim used by two transactions at the same time',
    stoppedBy: CLAIM,
    allowed: 1,
    run: async target => {
      const claim = target.place.claim()
      const [first, second] = [await target.app(), await target.session()]
      for (const session of [first, second]) {
        await session.query('BEGIN')
        await target.take(session, claim)
      }
      await target.run(first, 'DELETE FROM orders WHERE id = 1')
      const waiting = target.run(second, 'DELETE FROM orders WHERE id = 2', 'COMMIT')
      await target.run(first, 'COMMIT')
      await waiting
    },
  },
  {
    name: 'a claim set for the whole session',
    stoppedBy: CLAIM,
    allowed: 1,
    run: async target => {
      const session = await target.app()
      await session.query("SELECT set_config('postern.claim', $1, false)", [target.place.claim()])
      await target.run(session, 'DELETE FROM orders WHERE id = 1', 'DELETE FROM orders WHERE id = 2')
    },
  },
  {
    name: 'a claim stored as a setting of the role',
    stoppedBy: CLAIM,
    allowed: 1,
    run: async target => {
      await target.run(
        await target.app(),
        `ALTER ROLE ${target.place.role} SET postern.claim = '${target.place.claim()}'`,
      )
      for (const id of [1, 2]) await target.run(await target.session(), `DELETE FROM orders WHERE id = ${id}`)
    },
  },
  {
    name: 'the transaction after COMMIT AND CHAIN',
    stoppedBy: CLAIM,
    allowed: 1,
    run: target =>
      target.transaction([
        'DELETE FROM orders WHERE id = 1',
        'COMMIT AND CHAIN',
        'DELETE FROM orders WHERE id = 2',
      ]),
  },
  {
    name: 'a procedure that commits between its deletions',
    stoppedBy: CLAIM,
    allowed: 1,
    run: async target => {
      const session = await target.app()
      await target.run(
        session,
        `CREATE PROCEDURE own.wipe() LANGUAGE plpgsql AS $$ BEGIN
           PERFORM set_config('postern.claim', current_setting('own.claim'), true);
           FOR i IN 1..100 LOOP DELETE FROM public.orders WHERE id = i; COMMIT; END LOOP; END $$`,
      )
      await session.query("SELECT set_config('own.claim', $1, false)", [target.place.claim()])
      await target.run(session, 'CALL own.wipe()')
    },
  },
  {
    name: 'a second claim of the same actor in one transaction',
    stoppedBy: ['PB001'],
    allowed: 0,
    run: async target => {
      const session = await target.app()
      await target.begin(session)
      await target.run(session, 'DELETE FROM orders WHERE id <= 60')
      await target.take(session, target.place.claim())
      await target.run(session, 'DELETE FROM orders WHERE id <= 120', 'COMMIT')
    },
  },
  {
    name: 'a fresh claim for every deletion of one transaction',
    stoppedBy: ['PB001'],
    allowed: 0,
    run: async target => {
      const session = await target.app()
      await target.begin(session)
      for (let i = 1; i <= 80; i++) {
        await target.attempt(() => target.take(session, target.place.claim()))
        await target.run(session, `DELETE FROM orders WHERE id = ${i}`)
      }
      await target.run(session, 'COMMIT')
    },
  },
  {
    name: 'a claim of another actor after the deletion, before COMMIT',
    stoppedBy: ['PB001'],
    run: async target => {
      const session = await target.app()
      for (const from of [0, 9]) {
        await target.begin(session)
        for (let i = 0; i < 6; i++)
          await target.run(
            session,
            `DELETE FROM orders WHERE id > ${(from + i) * 9} AND id <= ${(from + i + 1) * 9}`,
          )
        await target.attempt(() => target.take(session, target.place.claim({ actor: 'user:bob' })))
        await target.run(session, 'COMMIT')
      }
    },
  },
  {
    name: 'RESET of the claim before COMMIT',
    stoppedBy: ['PB001'],
    allowed: 0,
    run: target =>
      target.transaction([
        ...Array.from(
          { length: 8 },
          (_, i) => `DELETE FROM orders WHERE id > ${i * 9} AND id <= ${(i + 1) * 9}`,
        ),
        'RESET postern.claim',
        'RESET ALL',
      ]),
  },
  {
    name: 'a dry run that is committed',
    stoppedBy: ['PB004'],
    allowed: 0,
    run: target =>
      target.transaction(["SELECT set_config('postern.dry_run', 'on', true)", 'DELETE FROM orders']),
  },
  {
    name: 'a dry run that is switched off before COMMIT',
    stoppedBy: ['PB004'],
    allowed: 0,
    run: target =>
      target.transaction([
        "SELECT set_config('postern.dry_run', 'on', true)",
        'DELETE FROM orders',
        "SELECT set_config('postern.dry_run', 'off', true)",
        'DELETE FROM reviews WHERE id = 1',
      ]),
  },
  granted('a grant signed with the key of claims', t => t.grant({}, CLAIM_KEY)),
  granted('a grant with a larger number of rows written in', t => changed(t.grant({ rows: 10 }), 7, '1000')),
  granted('a grant with another budget written in', t =>
    changed(t.grant({ budgets: ['x'] }), 6, Buffer.from('*.delete').toString('hex')),
  ),
  granted('a grant of another actor', t => t.grant({ actor: 'user:bob' })),
  granted('a grant of another tenant', t => t.grant({ tenant: 'beta' })),
  granted('a grant for another act', t => t.grant({ act: 'b'.repeat(64) })),
  granted('a grant outside of any act', t => t.grant(), GRANT, ''),
  granted('a grant that has expired', t => t.grant({ expiresAt: Date.now() - 1_000 })),
  granted('a grant for fewer rows', t => t.grant({ rows: 99 }), ['PB001']),
  granted('a grant for another budget', t => t.grant({ budgets: ['imports.insert'] }), ['PB001']),
  granted('text in place of a grant', () => 'g1|1|2|3|4|5|6|7|8|9'),
  {
    name: 'a grant used twice',
    stoppedBy: GRANT,
    allowed: 100,
    run: async target => {
      const grant = target.grant()
      for (const part of [0, 1])
        await target.transaction([`DELETE FROM orders WHERE id % 3 = ${part}`], { act: ACT, grant })
    },
  },
  {
    name: 'a grant used by two transactions at the same time',
    stoppedBy: GRANT,
    allowed: 100,
    run: async target => {
      const grant = target.grant()
      const sessions = [await target.app(), await target.session()]
      for (const session of sessions) await target.begin(session, { act: ACT, grant })
      await Promise.all(
        sessions.map((session, part) =>
          target.run(session, `DELETE FROM orders WHERE id % 3 = ${part}`, 'COMMIT'),
        ),
      )
    },
  },
  {
    name: 'a grant used in parts of one transaction, settled early',
    stoppedBy: ['PB001'],
    allowed: 0,
    run: target =>
      target.transaction(
        [
          'SET CONSTRAINTS ALL IMMEDIATE',
          'DELETE FROM orders WHERE id <= 100',
          'DELETE FROM orders WHERE id <= 200',
        ],
        { act: ACT, grant: target.grant() },
      ),
  },
]
