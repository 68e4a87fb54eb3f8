/**
 * Scripts over one key each: in a cluster, sessions and the hash of an account are on different nodes. An
 * account has at most about a hundred entries, so each is short.
 */

/**
 * Adds an entry to the sessions of an account. Returns ids and entries of those that are to end: what ended
 * by itself, and the oldest beyond the limit. They stay until that was done.
 * ARGV: id, entry, limit, now, lifetime
 */
export const ADD: string = `
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[5]) then redis.call('PEXPIRE', KEYS[1], ARGV[5]) end
local flat = redis.call('HGETALL', KEYS[1])
local live, old = {}, {}
for i = 1, #flat, 2 do
  local began, ends = string.match(flat[i + 1], '^(%S+) (%S+) ')
  if tonumber(ends) <= tonumber(ARGV[4]) then
    old[#old + 1] = flat[i]
    old[#old + 1] = flat[i + 1]
  elseif flat[i] ~= ARGV[1] then
    live[#live + 1] = { began = tonumber(began), id = flat[i], entry = flat[i + 1] }
  end
end
table.sort(live, function(a, b) return a.began > b.began or (a.began == b.began and a.id < b.id) end)
for i = tonumber(ARGV[3]), #live do
  old[#old + 1] = live[i].id
  old[#old + 1] = live[i].entry
end
return old
`

/** Replaces the entry of a session that was not ended meanwhile. ARGV: id, entry */
export const MOVE: string = `
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
`

/** Removes an entry that is still what was read; else returns what it is by now. ARGV: id, entry */
export const DROP: string = `
local now = redis.call('HGET', KEYS[1], ARGV[1])
if now == ARGV[2] then redis.call('HDEL', KEYS[1], ARGV[1]) return false end
return now
`

/** Replaces a session that is still what was read. ARGV: before, after, lifetime or nothing to keep it */
export const SWAP: string = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[3] == '' then redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1
`
