-- Append committed rows to the event log, in order, each at most once; none if it is not the log that the publisher
-- knows, or goes on for another database.
--
-- KEYS[1] the event log (stream)
-- KEYS[2] what a row is -> its id (hash); as '', the last id before the first of them
-- KEYS[3] the same of those before: together they remember at least as many rows as ARGV[7]
-- KEYS[4] by what this log is known (string): it is lost with the log
-- KEYS[5] which database's log it is (string)
-- KEYS[6...] what became of the localIds of these rows (strings)
-- ARGV[1] the log that the publisher knows, as it was answered last; ARGV[2] how to call one that has no name
-- ARGV[3] the publisher's clock, milliseconds
-- ARGV[4] ARGV[5] the floor: milliseconds and sequence of the newest id the publisher knows of
-- ARGV[6] how many entries the log keeps, about
-- ARGV[7] how many rows to remember at least
-- ARGV[8] ARGV[9] an id that the log had when these rows were not published yet, or might have been just now
-- ARGV[10] how many seconds KEYS[6...] live, ARGV[11] how many rows follow, ARGV[12] which database they stand in
-- ARGV[13...] eight per row: number, type, room id, target user or '', about user or '', message id or '', body, what it
--         is or '' if that is the message id; then what to set KEYS[6...] to
-- Returns which log it is and for how many milliseconds it has been there; if it is the one that the publisher knows,
-- whether it goes on for another database, the last id of before, and the id of each row, in order: no ids if what was
-- published since ARGV[8] is not remembered any more.

local FIXED_KEYS, FIXED_ARGS, PER_ROW = 5, 12, 8
local SEQUENCE_MAX = 1048575 -- 2^20 - 1: an id is one 63-bit integer in the database

local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
local name = redis.call('GET', KEYS[4])
if not name then
  name = string.format('%s@%.0f', ARGV[2], now)
  redis.call('SET', KEYS[4], name)
end
local age = now - (tonumber(string.match(name, '@(%d+)$')) or now)
-- A replica that was made the master has the name too, and perhaps not the newest entries. Who may not ask is not told.
local server = redis.pcall('INFO', 'server')
local log = name .. ':' .. (type(server) == 'string' and string.match(server, 'run_id:(%w+)') or '')
if log ~= ARGV[1] then
  return { log, age }
end

if ARGV[12] ~= '' then
  redis.call('SET', KEYS[5], ARGV[12], 'NX')
end
if redis.call('GET', KEYS[5]) ~= ARGV[12] then
  return { log, age, 1 }
end

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
local function parts(id)
  local time, sequence = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(time), tonumber(sequence)
end

local time, sequence = parts(last)
local answer = { log, age, 0, last }
local count = tonumber(ARGV[11])
local since_time, since_sequence = tonumber(ARGV[8]), tonumber(ARGV[9])
local from_time, from_sequence = parts(redis.call('HGET', KEYS[3], '') or '0-0')
if count > 0 and (since_time < from_time or (since_time == from_time and since_sequence < from_sequence)) then
  return answer
end

if count > 0 then
  redis.call('HSETNX', KEYS[2], '', last)
end
local floor_time, floor_sequence = tonumber(ARGV[4]), tonumber(ARGV[5])
if floor_time > time or (floor_time == time and floor_sequence > sequence) then
  time, sequence = floor_time, floor_sequence
  -- The log has lost something: what lay between, and perhaps more that this publisher does not know of. Every tail must
  -- notice, whatever it has read.
  last = '0-0'
end
local clock = tonumber(ARGV[3])

local marks = FIXED_ARGS + PER_ROW * count
for i = FIXED_ARGS + 1, marks, PER_ROW do
  local row = ARGV[i + 7] ~= '' and ARGV[i + 7] or ARGV[i + 5]
  local id = redis.call('HGET', KEYS[2], row) or redis.call('HGET', KEYS[3], row)
  if not id then
    if clock > time then
      time, sequence = clock, 0
    elseif sequence < SEQUENCE_MAX then
      sequence = sequence + 1
    else
      time, sequence = time + 1, 0
    end
    id = string.format('%.0f-%.0f', time, sequence)
    redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[6], id, 'prev', last, 'number', ARGV[i], 'type', ARGV[i + 1],
      'room', ARGV[i + 2], 'target', ARGV[i + 3], 'about', ARGV[i + 4], 'message', ARGV[i + 5],
      'body', ARGV[i + 6], 'uid', ARGV[i + 7])
    redis.call('HSET', KEYS[2], row, id)
    last = id
  end
  answer[#answer + 1] = id
end
if count > 0 and redis.call('HLEN', KEYS[2]) > tonumber(ARGV[7]) then
  redis.call('RENAME', KEYS[2], KEYS[3])
end
for i = FIXED_KEYS + 1, #KEYS do
  redis.call('SET', KEYS[i], ARGV[marks + i - FIXED_KEYS], 'EX', ARGV[10])
end
return answer
