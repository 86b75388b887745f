-- Remember why a send was refused, unless another one with the same localId is in flight or was accepted.
--
-- KEYS[1] what became of this localId
-- ARGV[1] what to remember, ARGV[2] for how many seconds

local state = redis.call('GET', KEYS[1])
if not state or string.sub(state, 1, 7) == 'failed:' then
  redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
end
return 1
