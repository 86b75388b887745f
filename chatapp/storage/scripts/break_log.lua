-- Empty the event log of a database that it was taken over from: what stands in it may not be in the one of now. Every
-- tail sees the break, and goes on through the database.
--
-- KEYS[1] the event log (stream)
-- KEYS[2] where the log ended when it was taken over (string): gone afterwards, so that it is done once
-- ARGV[1] milliseconds above which the log goes on
-- Returns where it goes on, or '' if another one has done it.

if redis.call('DEL', KEYS[2]) == 0 then
  return ''
end
local time = tonumber(ARGV[1])
local info = redis.pcall('XINFO', 'STREAM', KEYS[1])
if not info.err then
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then
      time = math.max(time, tonumber(string.match(info[i + 1], '^(%d+)-')))
    end
  end
  redis.call('XTRIM', KEYS[1], 'MAXLEN', 0)
end
local id = string.format('%.0f-0', time + 1)
redis.call('XADD', KEYS[1], id, 'prev', '0-0', 'type', '')
return id
