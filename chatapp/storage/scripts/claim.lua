-- Let the event log go on for one database: the one whose log it is says that its workers are still there; another one may
-- take it over once those have been silent, or because it is what became of that database.
--
-- From then on nobody can publish for the one of before. The log stays as it is until it is known what of it is lost:
-- then `break_log` empties it.
--
-- KEYS[1] the event log (stream)
-- KEYS[2] which database's log it is (string)
-- KEYS[3] there as long as one of its workers is (string)
-- KEYS[4] where the log ended when it was taken over, until it is emptied (string)
-- ARGV[1] the database, ARGV[2] the one that it comes from, or ''
-- ARGV[3] for how many milliseconds this counts as a sign of life
-- Returns which database's log it is now, and where it ended if it was taken over and is not emptied yet, otherwise ''.

local holder = redis.call('GET', KEYS[2]) or ''
if holder ~= '' and holder ~= ARGV[1] and holder ~= ARGV[2] and redis.call('EXISTS', KEYS[3]) == 1 then
  return { holder, '' }
end
if holder ~= ARGV[1] then
  redis.call('SET', KEYS[2], ARGV[1])
  local info = redis.pcall('XINFO', 'STREAM', KEYS[1])
  if not info.err then
    for i = 1, #info, 2 do
      if info[i] == 'last-generated-id' then
        redis.call('SET', KEYS[4], info[i + 1])
      end
    end
  end
end
redis.call('SET', KEYS[3], '1', 'PX', ARGV[3])
return { ARGV[1], redis.call('GET', KEYS[4]) or '' }
