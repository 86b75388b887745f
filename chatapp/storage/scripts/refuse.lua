-- Remember why a send was refused, unless another one with the same localId is in flight or was accepted.
--
-- KEYS[1] what became of this localId
-- KEYS[2] how many refusals of this user are remembered in the present period
-- ARGV[1] what to remember, ARGV[2] for how many seconds
-- ARGV[3] how many of a user at most in a period, ARGV[4] its seconds
-- Returns 1 if it is remembered.

local count = redis.call('INCR', KEYS[2])
if count == 1 then
  redis.call('EXPIRE', KEYS[2], ARGV[4])
end
if count > tonumber(ARGV[3]) then
  return 0
end
local state = redis.call('GET', KEYS[1])
if not state or string.sub(state, 1, 7) == 'failed:' then
  redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
end
return 1
