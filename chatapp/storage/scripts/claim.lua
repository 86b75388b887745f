-- Let the event log go on for one database: the one whose log it is says that it is still there; another one may take it
-- over once that has been silent, or because it is what became of it.
--
-- Whoever takes it over empties it: what stands in it may not be in that database. Every tail sees the break, and goes on
-- through the database.
--
-- KEYS[1] the event log (stream)
-- KEYS[2] which database's log it is (string)
-- KEYS[3] there as long as one of its workers is (string)
-- ARGV[1] the database, ARGV[2] the one that it comes from, or ''
-- ARGV[3] for how many milliseconds this counts as a sign of life
-- ARGV[4] ARGV[5] milliseconds and sequence above which the log goes on
-- Returns which database's log it is now, and where it goes on if it was taken over, otherwise ''.

local holder = redis.call('GET', KEYS[2])
if holder and holder ~= ARGV[1] and holder ~= ARGV[2] and redis.call('EXISTS', KEYS[3]) == 1 then
  return { holder, '' }
end
redis.call('SET', KEYS[2], ARGV[1])
redis.call('SET', KEYS[3], '1', 'PX', ARGV[3])
if not holder or holder == ARGV[1] then
  return { ARGV[1], '' }
end

local time, sequence = tonumber(ARGV[4]), tonumber(ARGV[5])
local info = redis.pcall('XINFO', 'STREAM', KEYS[1])
if not info.err then
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then
      local last_time, last_sequence = string.match(info[i + 1], '^(%d+)-(%d+)$')
      last_time, last_sequence = tonumber(last_time), tonumber(last_sequence)
      if last_time > time or (last_time == time and last_sequence > sequence) then
        time, sequence = last_time, last_sequence
      end
    end
  end
  redis.call('XTRIM', KEYS[1], 'MAXLEN', 0)
end
local id = string.format('%.0f-0', time + 1)
redis.call('XADD', KEYS[1], id, 'prev', '0-0', 'type', '')
return { ARGV[1], id }
