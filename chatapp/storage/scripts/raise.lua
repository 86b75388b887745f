-- Make sure that the next id of the event log lies above a given one, and say where the log now ends.
-- The step is an entry of its own, so that every tail follows it.
--
-- KEYS[1] the event log (stream)
-- ARGV[1] ARGV[2] milliseconds and sequence to rise to
-- ARGV[3] how many entries the log keeps, about
-- Returns the last id.

local last = '0-0'
local info = redis.pcall('XINFO', 'STREAM', KEYS[1])
if not info.err then
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then
      last = info[i + 1]
    end
  end
end
local time, sequence = string.match(last, '^(%d+)-(%d+)$')
time, sequence = tonumber(time), tonumber(sequence)
local to_time, to_sequence = tonumber(ARGV[1]), tonumber(ARGV[2])
if to_time > time or (to_time == time and to_sequence > sequence) then
  local id = string.format('%.0f-%.0f', to_time, to_sequence)
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], id, 'prev', last, 'type', '')
  return id
end
return last
