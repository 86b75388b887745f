-- Count a user's open streams and polls over all workers. A dead worker's count is forgotten.
-- Each worker says how many it holds, not how many more: a change that got lost is made good by the next.
--
-- KEYS[1] worker -> connections of this user (hash)
-- ARGV[1] this worker, ARGV[2] prefix of the keys that say a worker lives
-- ARGV[3] how many this worker holds now, at least one; ARGV[4] how many all may hold
-- ARGV[5] seconds to keep the count
-- Returns 1 if the count was written, 0 if it would be too many.

local open = tonumber(ARGV[3])
local counts = redis.call('HGETALL', KEYS[1])
for i = 1, #counts, 2 do
  if counts[i] ~= ARGV[1] then
    if redis.call('EXISTS', ARGV[2] .. counts[i]) == 1 then
      open = open + tonumber(counts[i + 1])
    else
      redis.call('HDEL', KEYS[1], counts[i])
    end
  end
end
if open > tonumber(ARGV[4]) then
  return 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[5])
return 1
