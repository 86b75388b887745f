-- Append committed rows to the event log, in order, each at most once.
--
-- KEYS[1] the event log (stream)
-- KEYS[2] row number -> id, of the current period (hash)
-- KEYS[3] the same of the period before: together they remember at least one whole period
-- KEYS[4...] what became of the localIds of these rows (strings)
-- ARGV[1] the publisher's clock, milliseconds
-- ARGV[2] ARGV[3] the floor: milliseconds and sequence of the newest id the publisher knows of
-- ARGV[4] how many entries the log keeps, about
-- ARGV[5] how many seconds a period's hash lives: two periods
-- ARGV[6] how many seconds KEYS[4...] live, ARGV[7] how many rows follow
-- ARGV[8...] six per row: number, type, room id, target user or '', about user or '', body; then what to set
--         KEYS[4...] to
-- Returns the id of each row, in order.

local SEQUENCE_MAX = 1048575 -- 2^20 - 1: an id is one 63-bit integer in the database

local function last_id()
  local info = redis.pcall('XINFO', 'STREAM', KEYS[1])
  if info.err then
    return '0-0'
  end
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then
      return info[i + 1]
    end
  end
end

local last = last_id()
local time, sequence = string.match(last, '^(%d+)-(%d+)$')
time, sequence = tonumber(time), tonumber(sequence)
local floor_time, floor_sequence = tonumber(ARGV[2]), tonumber(ARGV[3])
if floor_time > time or (floor_time == time and floor_sequence > sequence) then
  time, sequence = floor_time, floor_sequence
  -- The log has lost something: what lay between, and perhaps more that this publisher does not know of. Every tail must
  -- notice, whatever it has read.
  last = '0-0'
end
local clock = tonumber(ARGV[1])

local ids = {}
local marks = 8 + 6 * tonumber(ARGV[7])
for i = 8, marks - 1, 6 do
  local number = ARGV[i]
  local id = redis.call('HGET', KEYS[2], number) or redis.call('HGET', KEYS[3], number)
  if not id then
    if clock > time then
      time, sequence = clock, 0
    elseif sequence < SEQUENCE_MAX then
      sequence = sequence + 1
    else
      time, sequence = time + 1, 0
    end
    id = string.format('%.0f-%.0f', time, sequence)
    redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[4], id, 'prev', last, 'number', number, 'type', ARGV[i + 1],
      'room', ARGV[i + 2], 'target', ARGV[i + 3], 'about', ARGV[i + 4], 'body', ARGV[i + 5])
    redis.call('HSET', KEYS[2], number, id)
    last = id
  end
  ids[#ids + 1] = id
end
redis.call('EXPIRE', KEYS[2], ARGV[5])
for i = 4, #KEYS do
  redis.call('SET', KEYS[i], ARGV[marks + i - 4], 'EX', ARGV[6])
end
return ids
