-- Count a user's open streams and polls over all workers. A dead worker's count is forgotten.
--
-- KEYS[1] worker -> connections of this user (hash)
-- ARGV[1] this worker, ARGV[2] prefix of the keys that say a worker lives
-- ARGV[3] 1 to open, -1 to close; ARGV[4] how many are allowed; ARGV[5] seconds to keep the count
-- Returns 1 if the change was made, 0 if it would be one too many.

if ARGV[3] == '-1' then
  if redis.call('HINCRBY', KEYS[1], ARGV[1], -1) <= 0 then
    redis.call('HDEL', KEYS[1], ARGV[1])
  end
  return 1
end
local open = 0
local counts = redis.call('HGETALL', KEYS[1])
for i = 1, #counts, 2 do
  if counts[i] == ARGV[1] or redis.call('EXISTS', ARGV[2] .. counts[i]) == 1 then
    open = open + tonumber(counts[i + 1])
  else
    redis.call('HDEL', KEYS[1], counts[i])
  end
end
if open >= tonumber(ARGV[4]) then
  return 0
end
redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
redis.call('EXPIRE', KEYS[1], ARGV[5])
return 1
