-- How many are online in each of these rooms: a page of a hundred in one step.
--
-- KEYS[1] what was lost is just being said again (string); KEYS[2...] user -> the workers that say so (hashes)
-- Returns what KEYS[1] says or '', then a number for each room.

local answer = {redis.call('GET', KEYS[1]) or ''}
for i = 2, #KEYS do
  answer[i] = redis.call('HLEN', KEYS[i])
end
return answer
