-- May this send go ahead? One round trip: known localId, in flight, within the rate, claimed.
--
-- KEYS[1] the user's rate (string: theoretical arrival time of GCRA, microseconds)
-- KEYS[2] what became of this localId (string 'claim:…', 'done:<message id>' or 'failed:<problem>');
--         absent when only the rate is asked
-- ARGV[1] microseconds between two sends at the steady rate
-- ARGV[2] burst: how many sends at once from rest
-- ARGV[3] cost: 1, or 0 to look without charging, or -1 to give a charge back
-- ARGV[4] what to write as the claim, ARGV[5] how long it holds, milliseconds
-- Returns {verdict, detail, remaining, microseconds until the rate is at rest, microseconds to wait}
-- with verdict 'known', 'in_flight', 'limited' or 'admitted'.
--
-- GCRA: the generic cell rate algorithm, ITU-T I.371. A time that lies further ahead than a full burst
-- can only come from a clock that was set back, and counts as a full burst.

local interval, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local full = interval * burst
local stored = tonumber(redis.call('GET', KEYS[1]) or now)
local arrival = math.min(math.max(stored, now), now + full)

local function keep(moment)
  redis.call('SET', KEYS[1], string.format('%.0f', moment), 'PX', math.ceil(math.max(moment - now, 1000) / 1000) + 1000)
end

if stored > arrival then
  keep(arrival) -- Else it would be a full burst at every look, until the clock is there again.
end

local function answer(verdict, detail, wait)
  return {verdict, detail, math.floor((full - (arrival - now)) / interval), arrival - now, wait}
end

if KEYS[2] and cost > 0 then
  local state = redis.call('GET', KEYS[2])
  if state and string.sub(state, 1, 5) == 'done:' then
    return answer('known', string.sub(state, 6), 0)
  elseif state and string.sub(state, 1, 6) == 'claim:' then
    return answer('in_flight', '', 0)
  end
end

local charged = math.max(arrival + cost * interval, now)
if charged - now > full then
  return answer('limited', '', charged - now - full)
end
if cost ~= 0 then
  arrival = charged
  keep(arrival)
end
if KEYS[2] and cost > 0 then
  redis.call('SET', KEYS[2], ARGV[4], 'PX', ARGV[5])
end
return answer('admitted', '', 0)
