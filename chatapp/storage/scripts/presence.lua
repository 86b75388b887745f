-- One round of a worker: it lives, whose connections follow rooms in it, and what is to be told about rooms.
--
-- Who is online in a room is a hash, user -> the workers that say so, never a count. What a worker says holds as long
-- as its lease. A worker whose lease is over is dead, and what it said is taken back, by whoever comes next.
--
-- KEYS[1] worker -> the end of its lease, milliseconds (sorted set)
-- KEYS[2] room -> when its changes may be told, milliseconds (sorted set)
-- KEYS[3] there as long as nothing was lost (string)
-- KEYS[4] what was lost is just being said again (string)
-- KEYS[5] when the last round was, milliseconds (string)
-- KEYS[6] what is said beside the log (stream): whoever hears it does so within moments
-- ARGV[1] this worker; ARGV[2] whether it has said something before; ARGV[3] its lease, milliseconds
-- ARGV[4] how many rooms to tell about; ARGV[5] a room whose changes are more than these is told about without them
-- ARGV[6] milliseconds between two tellings of a room; ARGV[7] how much a dead worker said is taken back at once
-- ARGV[8] milliseconds for saying again what was lost
-- ARGV[9] for how many milliseconds what is said beside the log is kept
-- ARGV[10...] three for each: '+' is online, '=' was online before and is said again, or '-' is not; room; user
-- Returns {0} if this worker's lease was over: nothing was done, and it says everything again under another name.
-- Else {1, {room, user, when last there, milliseconds; ...}, {{room, how many are online, user, '1' or '0', ...}; ...},
-- 1 if there is more to be done at once}. A room with '' behind the count has more changes than are named, or somebody
-- came and went since it was told.
--
-- The keys of rooms and of workers are made from these: KEYS[1] .. ':room:' .. room and so on.

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local me, lease = ARGV[1], tonumber(ARGV[3])
local pause, rebuild = tonumber(ARGV[6]), tonumber(ARGV[8])

-- After a time in which nobody could say that it lives, all get time to say so.
local last = tonumber(redis.call('GET', KEYS[5]) or now)
if now - last > lease / 6 then
  for _, worker in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    redis.call('ZADD', KEYS[1], 'GT', now + lease / 2, worker)
  end
end
redis.call('SET', KEYS[5], now)
redis.call('XTRIM', KEYS[6], 'MINID', '~', string.format('%.0f', now - tonumber(ARGV[9])))

if ARGV[2] == '1' and tonumber(redis.call('ZSCORE', KEYS[1], me) or 0) <= now then
  return {0}
end
redis.call('ZADD', KEYS[1], now + lease, me)
if redis.call('SET', KEYS[3], 1, 'NX') then
  redis.call('SET', KEYS[4], 'new', 'PX', rebuild)
end
local rebuilding = redis.call('GET', KEYS[4])

local function change(room, user, before, wait)
  local changes = KEYS[1] .. ':changes:' .. room
  if redis.call('HSETNX', changes, user, before) == 0 then
    -- Whoever asked between this change and the one before knows what is so no longer.
    redis.call('HSET', changes, '', '')
  end
  redis.call('PEXPIRE', changes, 60000)
  local due = now + math.max(wait, redis.call('PTTL', KEYS[1] .. ':told:' .. room))
  redis.call('ZADD', KEYS[2], 'NX', due, room)
end

local function said_by(worker)
  return KEYS[1] .. ':worker:' .. worker
end

local function add(room, user, again)
  local online = KEYS[1] .. ':room:' .. room
  redis.call('SADD', said_by(me), room .. '|' .. user)
  local workers = redis.call('HGET', online, user)
  if not workers then
    redis.call('HSET', online, user, me)
    if again and rebuilding then
      rebuilding = 'again'
    else
      change(room, user, '0', 0)
    end
  elseif not string.find(workers, me, 1, true) then
    redis.call('HSET', online, user, workers .. ',' .. me)
  end
end

-- Returns whether the user is gone from the room.
local function remove(room, user, worker)
  local online = KEYS[1] .. ':room:' .. room
  redis.call('SREM', said_by(worker), room .. '|' .. user)
  local workers = redis.call('HGET', online, user)
  if not workers then
    if rebuilding == 'again' then
      -- Everybody was told that the user is there. Perhaps another worker says it again.
      change(room, user, '1', rebuild / 2)
    end
    return true -- Perhaps this was asked before, and the answer was lost.
  end
  local rest = {}
  for other in string.gmatch(workers, '[^,]+') do
    if other ~= worker then
      rest[#rest + 1] = other
    end
  end
  if #rest > 0 then
    redis.call('HSET', online, user, table.concat(rest, ','))
    return false
  end
  redis.call('HDEL', online, user)
  change(room, user, '1', 0)
  return true
end

local gone, more = {}, 0
local said_again = false
for i = 10, #ARGV, 3 do
  local what, room, user = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  if what ~= '-' then
    add(room, user, what == '=')
    said_again = said_again or what == '='
  elseif remove(room, user, me) then
    gone[#gone + 1] = room
    gone[#gone + 1] = user
    gone[#gone + 1] = now
  end
end

if said_again and rebuilding then
  -- Until nobody has said anything again for a while.
  redis.call('SET', KEYS[4], 'again', 'PX', rebuild / 2)
end

local dead = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'WITHSCORES', 'LIMIT', 0, 1)
if dead[1] then
  local said = redis.call('SPOP', said_by(dead[1]), ARGV[7])
  for _, pair in ipairs(said) do
    local room, user = string.match(pair, '^(%d+)|(.*)$')
    if remove(room, user, dead[1]) then
      gone[#gone + 1] = room
      gone[#gone + 1] = user
      gone[#gone + 1] = tonumber(dead[2]) - lease
    end
  end
  if #said == 0 then
    redis.call('ZREM', KEYS[1], dead[1])
  end
  more = 1
end

local named = tonumber(ARGV[5])
local rooms = {}
-- What is only half known yet is not told.
local due = rebuilding == 'again' and {} or redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, ARGV[4])
for _, room in ipairs(due) do
  local changes, online = KEYS[1] .. ':changes:' .. room, KEYS[1] .. ':room:' .. room
  local told = {room, redis.call('HLEN', online)}
  if redis.call('HEXISTS', changes, '') == 1 or redis.call('HLEN', changes) > 4 * named then
    told[3] = ''
  else
    local before = redis.call('HGETALL', changes)
    for i = 1, #before, 2 do
      local is = redis.call('HEXISTS', online, before[i])
      if is ~= tonumber(before[i + 1]) then
        told[#told + 1] = before[i]
        told[#told + 1] = tostring(is)
      end
    end
    if #told > 2 + 2 * named then
      told = {told[1], told[2], ''}
    end
  end
  redis.call('UNLINK', changes)
  redis.call('ZREM', KEYS[2], room)
  if #told > 2 then
    redis.call('SET', KEYS[1] .. ':told:' .. room, 1, 'PX', pause)
    rooms[#rooms + 1] = told
  end
end
if #due == tonumber(ARGV[4]) then
  more = 1
end
return {1, gone, rooms, more}
