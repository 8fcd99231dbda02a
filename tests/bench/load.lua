-- For bench.py: wrk's figures as one line, and a mix of requests where arguments name one: METHOD:PATH.
local mix, at = {}, 0

local function next_of_mix()
	at = at % #mix + 1
	return mix[at]
end

function init(words)
	for _, word in ipairs(words) do
		local method, path = word:match("^(%u+):(.+)$")
		mix[#mix + 1] = wrk.format(method, path)
	end
	if #mix > 0 then
		request = next_of_mix
	end
end

-- Requests, microseconds, p50, p99, failures.
function done(summary, latency)
	local e = summary.errors
	print(string.format("figures %d %d %d %d %d", summary.requests, summary.duration,
		latency:percentile(50), latency:percentile(99),
		e.connect + e.read + e.write + e.status + e.timeout))
end
