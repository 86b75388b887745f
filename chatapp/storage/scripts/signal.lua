-- Signal all workers, unless the same was signalled a moment ago.
--
-- KEYS[1] the stream of signals; KEYS[2] what must not be signalled again so soon
-- ARGV[1] the signal; ARGV[2] how many the stream keeps at least; ARGV[3] for how many milliseconds it is not repeated
-- Returns 1 if it was signalled.

if not redis.call('SET', KEYS[2], 1, 'NX', 'PX', ARGV[3]) then
  return 0
end
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', 'body', ARGV[1])
return 1
