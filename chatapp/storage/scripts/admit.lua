-- May these go ahead? For each, in one round trip for all: known localId, in flight, within the rate, claimed.
--
-- KEYS[2i-1] the rate of the i-th (string: theoretical arrival time of GCRA, microseconds)
-- KEYS[2i]   what became of its localId (string 'claim:…', 'done:<message id>' or 'failed:<problem>');
--            the rate again when only that is asked
-- ARGV[1] what to write as the claim, before the number i: no other call has it
-- ARGV[2] how long it holds, milliseconds; then three for each:
--   microseconds between two at the steady rate
--   burst: how many at once from rest
--   cost: 1, or 0 to look without charging, or -1 to give a charge back
-- Returns for each {verdict, remaining, microseconds until the rate is at rest, microseconds to wait}
-- with verdict 'known', 'in_flight', 'limited' or 'admitted'.
--
-- GCRA: the generic cell rate algorithm, ITU-T I.371. A time that lies further ahead than a full burst
-- can only come from a clock that was set back, and counts as a full burst.

local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]

local function admit(rate, claim, mine, interval, burst, cost)
  local full = interval * burst
  local stored = tonumber(redis.call('GET', rate) or now)
  local arrival = math.min(math.max(stored, now), now + full)

  local function keep(moment)
    redis.call('SET', rate, string.format('%.0f', moment), 'PX', math.ceil(math.max(moment - now, 1000) / 1000) + 1000)
  end

  if stored > arrival then
    keep(arrival) -- Otherwise every look would find a full burst, until the clock is there again.
  end

  local function answer(verdict, wait)
    return {verdict, math.floor((full - (arrival - now)) / interval), arrival - now, wait}
  end

  if claim ~= rate then
    local state = redis.call('GET', claim)
    if state and string.sub(state, 1, 5) == 'done:' then
      return answer('known', 0)
    elseif state == mine then
      return answer('admitted', 0) -- Asked before, and the answer was lost.
    elseif state and string.sub(state, 1, 6) == 'claim:' then
      return answer('in_flight', 0)
    end
  end

  local charged = math.max(arrival + cost * interval, now)
  if charged - now > full then
    return answer('limited', charged - now - full)
  end
  if cost ~= 0 then
    arrival = charged
    keep(arrival)
  end
  if claim ~= rate then
    redis.call('SET', claim, mine, 'PX', ARGV[2])
  end
  return answer('admitted', 0)
end

local verdicts = {}
for i = 1, #KEYS / 2 do
  local at = 3 * i
  verdicts[i] = admit(KEYS[2 * i - 1], KEYS[2 * i], ARGV[1] .. i, tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]))
end
return verdicts
