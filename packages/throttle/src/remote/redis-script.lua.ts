/**
 * One call for all decisions of a tick; see `LimitBatch` for what goes in and out. Runs whole or not at all,
 * on the server's clock, and writes only the keys it was given.
 *
 * A window's state is its sub-window length, the number of its newest sub-window, the sum of its nine counts,
 * and the counts, newest first; a GCRA's is 0 and its theoretical arrival time. A state of another shape (the
 * rule's window changed) starts again. Most debits fall into a sub-window that has begun: they overwrite the
 * sum and the newest count in place, and leave the key's expiry, which already lies beyond the end of the
 * window, as it is.
 */
export const LIMIT_SCRIPT = `
local input = cjson.decode(ARGV[1])
local now = input[1]
if now < 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000 + time[2] / 1000
end
local call, pack, unpack_from = redis.call, struct.pack, struct.unpack
local floor, ceil, max, min = math.floor, math.ceil, math.max, math.min
local COUNTS = '<I4I4I4I4I4I4I4I4I4'
local values = call('MGET', unpack(KEYS))
local RULES = 3
local at = RULES + input[2] * 3
local size = #input

-- Per key: newest sub-window (or arrival time), sum, newest count, the whole list of counts once it had to be read, and what must be written.
local newest, sums, firsts, lists, changed = {}, {}, {}, {}, {}

local function advance(k, index)
  local list = lists[k]
  if not list then
    list = {unpack_from(COUNTS, values[k], 21)}
    lists[k] = list
  end
  list[1] = firsts[k]
  local passed = index - newest[k]
  local sum = 0
  for i = 9, 1, -1 do
    local count = i > passed and list[i - passed] or 0
    list[i] = count
    sum = sum + count
  end
  newest[k], sums[k], firsts[k] = index, sum, 0
end

local function open_window(k, step, index)
  local last = newest[k]
  if not last then
    local value = values[k]
    if value and #value == 56 then
      local length, at_index, sum, first = unpack_from('<ddI4I4', value)
      if length == step then
        last = at_index
        newest[k], sums[k], firsts[k] = at_index, sum, first
      end
    end
    if not last then
      newest[k], sums[k], firsts[k], lists[k] = index, 0, 0, {0, 0, 0, 0, 0, 0, 0, 0, 0}
      return
    end
  end
  if index > last then advance(k, index) end
end

local function left_of(k, rule)
  local step = input[rule + 1]
  if step > 0 then
    open_window(k, step, floor(now / step))
    return input[rule] - sums[k]
  end
  if not newest[k] then
    local value = values[k]
    local arrival = 0
    if value and #value == 16 then arrival = unpack_from('<d', value, 9) end
    newest[k] = arrival
  end
  return input[rule] - max(0, newest[k] - now) / input[rule + 2] + 1e-6
end

local function opens_in(k, rule, needed)
  if needed <= 0 then return 0 end
  local step = input[rule + 1]
  if step == 0 then return ceil(needed * input[rule + 2]) end
  local list = lists[k]
  if not list then
    list = {unpack_from(COUNTS, values[k], 21)}
    lists[k] = list
  end
  list[1] = firsts[k]
  local freed = 0
  for i = 9, 1, -1 do
    freed = freed + list[i]
    if freed >= needed then return ceil((newest[k] + 10 - i) * step - now) end
  end
  return ceil(9 * step)
end

local function debit(k, rule, units)
  if input[rule + 1] > 0 then
    sums[k] = sums[k] + units
    firsts[k] = firsts[k] + units
  else
    newest[k] = max(now, newest[k]) + units * input[rule + 2]
  end
  changed[k] = rule
end

local out, n = {floor(now * 1000)}, 1
local lefts = {}
while at <= size do
  local count = input[at]
  if count >= 0 then
    local k, rule = count % 1024 + 1, RULES + floor(count / 1024) * 3
    local left = left_of(k, rule)
    n = n + 1
    if left >= 1 then
      debit(k, rule, 1)
      out[n] = floor(left - 1)
    else
      out[n] = -1 - opens_in(k, rule, 1 - left)
    end
    at = at + 1
  elseif count == -99 then
    local k, rule = input[at + 1] + 1, RULES + input[at + 2] * 3
    left_of(k, rule)
    local age = newest[k] - input[at + 4]
    if age >= 0 and age <= 8 then
      opens_in(k, rule, 1)
      local list = lists[k]
      local back = min(list[age + 1], input[at + 3])
      if back > 0 then
        list[age + 1] = list[age + 1] - back
        sums[k], firsts[k], changed[k] = sums[k] - back, list[1], rule
      end
    end
    at = at + 5
  else
    local refused = -1
    for i = 0, -count - 1 do
      local p = at + 1 + i * 4
      local left, cost = left_of(input[p] + 1, RULES + input[p + 1] * 3), input[p + 2]
      lefts[i] = left
      if refused < 0 and cost > left and cost > 0 then refused = i end
    end
    n = n + 1
    out[n] = refused
    for i = 0, -count - 1 do
      local p = at + 1 + i * 4
      local k, rule, cost, want = input[p] + 1, RULES + input[p + 1] * 3, input[p + 2], input[p + 3]
      local left = lefts[i]
      if refused >= 0 or cost == 0 then
        out[n + 1] = floor(max(0, left))
        out[n + 2] = opens_in(k, rule, max(1, cost) - left)
        n = n + 2
      else
        local grant = max(cost, min(want, floor(left)))
        debit(k, rule, grant)
        n = n + 1
        out[n] = floor(left - grant)
        if want > cost then
          n = n + 1
          out[n] = grant
        end
      end
    end
    at = at + 1 - count * 4
  end
end

for k, rule in pairs(changed) do
  local step = input[rule + 1]
  local list = lists[k]
  if step == 0 then
    call('SET', KEYS[k], pack('<dd', 0, newest[k]), 'PX', ceil(max(1, newest[k] - now)))
  elseif list then
    list[1] = firsts[k]
    call('SET', KEYS[k], pack('<ddI4', step, newest[k], sums[k]) .. pack(COUNTS, unpack(list)), 'PX', ceil(step * 10))
  else
    call('SETRANGE', KEYS[k], 16, pack('<I4I4', sums[k], firsts[k]))
  end
end
return out
`
