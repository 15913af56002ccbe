# The report in English. Names of messages and of { $places } stay as they are; everything else may
# be edited. `tests` in src/report/catalogue.rs hold that all languages have the same.

## Headings of sections
section-summary = Verdict
section-service = The service
section-answer = Is memory multiplied by requests?
section-memory = Where the memory goes
section-ram = RAM by requests in flight
section-scenario = Scenarios
section-formula = The formula
section-limits = What each size of box holds
section-users = Users at once
section-cpu = CPU and response time
section-load = Under load
section-mix = Kinds of requests
section-volume = Configurations by volume
section-workers = One process or several
section-antipatterns = What multiplies memory
section-topologies = Other topologies
section-workload = Your workload
section-storage = Storage
section-network = Data of a request
section-traffic = Traffic a month
section-tiers = Boxes that are sold
section-upgrade = Options
section-tips = What would save
section-warnings = Warnings and notes
section-monitoring = Monitoring
section-trust = How far to trust it
section-conclusion = Conclusion
section-compare = Side by side

## Pictures
chart-memory = Where the memory goes
chart-ram = RAM against requests in flight
chart-load = Requests a second and response time against requests in flight
chart-latency = Response time against requests a second
chart-tiers = What the busy service takes of each box
chart-compare = RAM with ten requests in flight
axis-ram = RAM ({ $unit })
axis-requests = requests in flight
axis-load = requests a second; seconds
axis-rate = requests a second
axis-seconds = seconds
series-high = upper 95 % bound, or dearest request
series-typical = typical
series-measured = measured
series-box = box: { $ram }
series-throughput = requests a second
series-latency = response time (s)

## Words
requests = { $n ->
    [0] no request
    [one] 1 request
   *[other] { $n } requests
}
requests-with = { $n ->
    [one] 1 request, { $models }
   *[other] { $n } requests, { $models }
}
n-times = { $n } × { $each }
times = { $n } × { $each }
about = about { $value }
a-month = { $amount } a month
base-and-buffers = { $base } + { $buffers } buffers
box-ram = { $ram } of RAM
box-disk = { $disk } of disk
tag-lazy = loaded late
footnotes = Stated otherwise
note-stated = Stated: { $stated }; what follows is { $computed } (--explain { $key }).
note-stated-at = { $at } states { $stated }; what follows is { $computed } (--explain { $key }).
source-measured = measured
source-fitted = fitted
source-extrapolated = extrapolated
source-declared = declared
source-assumed = assumed
status-insufficient = INSUFFICIENT
status-marginal = MARGINAL
status-sufficient = SUFFICIENT
status-excellent = EXCELLENT
status-unknown = UNKNOWN
status-marked = { $mark } { $status }
resource-disk = Storage
resource-bandwidth = Bandwidth
demand-waits = waits
demand-low = low
demand-medium = medium
demand-high = high
demand-very-high = very high
load-low = low
load-manageable = manageable
load-tight = close to the limit
load-too-much = more than the CPUs give
while-loading = while it loaded the models
with-requests = { $n ->
    [one] with 1 request in flight
   *[other] with { $n } requests in flight
}
by-the-kernel = , as the kernel does where memory runs out

## Columns
column-part = Part
column-ram = RAM
column-range = Range
column-remark = Remark
column-source = Source
column-requests = Requests
column-base = Base
column-buffers = Buffers
column-typical = Typical
column-need = Limit needed
column-box = RAM of the box
column-loaded = Loaded
column-available = Free
column-holds = Holds
column-holds-mix = … of the mix
column-plan-with = Plan with
column-fixed = Always there
column-users = Users
column-full = RAM taken then
column-at-once-cpu = At once
column-result = Result
column-stage = Stage
column-demand = CPU demand
column-time = Time
column-share = Share
column-cpu = CPU
column-cpus = CPUs
column-rps = Requests a second
column-rps-here = Requests a second, here
column-rpm = One at a time
column-best = Best in flight
column-useful = Useful up to
column-response = Response alone
column-rate = Rate
column-busy = CPUs busy
column-mean = Mean time
column-p50 = p50
column-p95 = p95
column-p99 = p99
column-in-flight = In flight
column-often = 99.9 % up to
column-exceeds = Over RAM, a day
column-all-run = All admitted
column-limited = With the limit
column-saves = Saves
column-request = Request
column-ram-each = RAM each
column-cpu-time = CPU time
column-topology = Topology
column-up-to = Up to
column-times = Times
column-checked = Predicted, checked
column-size = Size
column-data = Data
column-each-request = Each request
column-metric = Metric
column-limit = Alarm at
column-predicted = Predicted
column-change = Change

## Summary
beside-assumed = Assumed, as nobody gave them: { $what }.
beside-one-step = One run of { $model } is one step of a request that takes many ({ $port }).
beside-model-alone = The models are measured, and not the server process around them: add it with --program python-fastapi, node, or its size as in 120M.
summary-not-checked = The prediction was not checked at a concurrency that it was not fitted on: its error is not known.
fact-title = In short
fact-deployment = Deployment
fact-version = Version
fact-date = Date
fact-purpose = Purpose
fact-script = Program
fact-topology = Topology
fact-models = Models
fact-always = always loaded
fact-late = loaded by the first request that needs it
fact-ram = RAM
fact-base = Base ({ $models })
fact-base-alone = Base
fact-each = Each request in flight
fact-limits = Safe limits in { $ram }
fact-most = Most in flight
fact-recommended = Recommended in flight

## Answer and conclusion
answer-no = No. RAM = base + N × buffer: only the buffer is multiplied by the requests in flight.
answer-wrong = ✘ Wrong: a whole process for each request
answer-right = ✔ Right: one base, a buffer for each request
answer-reason = The models are loaded once and all requests use them.
conclusion-wrong = No: { $n } requests are not { $total }.
conclusion-right = { $n } requests are { $range }:
conclusion-base = shared: { $base }, once
conclusion-buffers = buffers: { $n } × { $each } = { $buffers }
conclusion-total = together: { $total }
conclusion-multiplied = Only what a request holds for itself is multiplied: its input, intermediate tensors, its output.
conclusion-box = { $ram } of RAM: { $status }
conclusion-holds = By RAM, { $n } requests in flight fit, typically.
conclusion-cpu = In practice the CPUs are the limit ({ $rate }), not RAM.
conclusion-cpu-unknown = In practice the CPUs are the limit, not RAM.
conclusion-ram = RAM is the limit, not the CPUs.
conclusion-shared = All requests share one copy of each model: the service is protected against multiplying it.

## Memory
memory-shared = Shared by all requests
memory-request = Each request in flight
memory-request-stages = Each request, stage by stage
memory-runtime = Base without models
memory-model = model { $name }
memory-cache = model cache
memory-models = Models in memory
memory-total = Shared in all
memory-sum = Sum of the parts
memory-each = Each request
memory-typical = Each request, typically
memory-times-file = { $times } × its file of { $file }
memory-stages = Stages follow each other and share memory, so theirs do not add up to what a request adds.
part-program = program
part-server = server process: { $program }
part-not-installed = not installed here: { $what }
part-service = service before its first request
part-kept = kept by the first requests
part-accumulated = accumulated over the first { $n } requests
part-kernel = kernel: page tables, stacks

## RAM
ram-title = All models loaded
ram-title-live = RAM by requests in flight
ram-title-of = Loaded: { $models }
ram-constant = The base stays { $base }; only the buffers grow.
ram-line = RAM = base + N × buffer = { $base } + N × { $buffer } (95 %: { $bases }; { $buffers })
ram-line-declared = RAM = base + N × buffer = { $base } + N × { $buffer } (each request { $buffers })
ram-limit = Loading peaks at { $peak }. Limit for { $n } in flight: { $limit } to run undisturbed; under { $kill } the kernel kills.
ram-limit-declared = Limit for { $n } in flight: { $limit }, at the high end of what is declared.
knee-workers = Base and buffer are of all { $n } processes together, from { $n } requests on: one in each. Fewer take as much as { $n }, as each process keeps what its first took.
knee-sessions = The line is of { $n } requests and more, when every session has one and the others wait. Fewer take no more than the line says.
remark-idle = idle: loaded and waiting
remark-before-late = before a late model is loaded
remark-after-late = idle, everything loaded
remark-below = CPUs not yet busy
remark-best = best
remark-useful = useful
remark-queues = { $n ->
    [one] 1 only queues
   *[other] { $n } only queue
}
remark-typical = a typical moment
remark-times = { $n } buffers
remark-high = high load begins
remark-very-high = very high load
remark-extreme = extreme, unlikely
remark-this-box = ◀ this box
remark-this-box-none = ◀ this box: not even one
remark-none = not even one
scenario-one = All models loaded
scenario-live = The service and its requests
scenario-of = Scenario { $n }: { $models }
scenario-recommended = Recommended as long as these models answer most requests: it takes the least RAM.
scenario-linear = RAM grows in a line with requests in flight: { $buffer } each. The models are shared, in the base of { $base }.
tree-base = Base: loaded, no request
tree-before-late = Before the first request that needs a late model
tree-after-late = After it
tree-idle = idle
tree-n = { $n ->
    [one] 1 request in flight
   *[other] { $n } requests in flight
}
tree-base-line = Base
tree-requests = { $n ->
    [one] 1 request
   *[other] { $n } requests
}
tree-kind = { $n } { $name }
tree-total = Total
formula-line = RAM = base + N × buffer
formula-where = Where
formula-base = base
formula-n = requests in flight
formula-buffer = buffer
formula-mean = mean of the mix
formula-examples = Examples
formula-example = { $base } + { $n } × { $buffer }
formula-short = { $base } + N × { $buffer }
mix-split = Requests in flight are split in whole ones by their shares. What decides reckons with the high end of cost.
mix-check = From each kind by itself, { $together } together were predicted at { $predicted }; other processes took { $observed }: { $error }.
mix-late = Before { $models } is loaded the base is { $before }, then { $after }. All other tables are of the service after that.

## Limits and users
limits-columns = “Holds” is floor((RAM − base) / buffer) with the typical buffer; “Plan with” is what fits at the high end of cost, loading and a burst after a restart included.
binding-cpu = The CPUs are the limit, not RAM: RAM holds { $holds } in flight, and beyond { $useful } they only queue.
binding-ram = RAM is the limit: it holds { $holds } in flight, and the CPUs have use for { $useful }.
users-oom = out of memory at the first request
users-may-oom = out of memory with dear requests
users-light = enough for light traffic
users-moderate = good for moderate traffic
users-heavy = good for heavy traffic
users-note = From the dearest to the cheapest request beside what is always there, at its high end. “At once” is what the CPUs run without queueing.
verdict-ram = { $has } of RAM: { $status }
verdict-cpu = { $has }: { $status }
verdict-storage = { $has } of disk: { $status }
verdict-bandwidth = { $has } a month: { $status }

## CPU
cpu-stages = One request
cpu-startup = Loading the models
cpu-once = once, at the start
cpu-external = waits for another service: holds memory, no CPU
cpu-total = Total of a request
cpu-cost = { $cpu } of CPU time a request under load (95 %: { $range }), { $alone } alone.
cpu-cost-declared = { $cpu } of CPU time a request; { $alone } alone, waiting included.
cpu-one = One CPU
cpu-latency = Time of a request
cpu-throughput = Requests a second
cpu-best = Best in flight
cpu-useful = Useful up to
cpu-counts = By number of CPUs
cpu-beyond = Beyond what is useful (assumed: two and a half times the best) requests wait in a queue and none finishes earlier.
cpu-reached = The most that was reached is { $rate }, with { $n } in flight (measured). The rest is computed from the CPU time of a request.
cpu-reached-less = The most that was reached is { $rate }, with { $n } in flight (measured), where its CPU time alone would allow { $computed }: something else holds it, as a lock does or what it waits for. Count on the measured rate.
cpu-box = On { $cpus }: { $rate } ({ $range }); a lone request takes { $alone }. With { $useful } in flight each takes { $response }.

## Volume
volume-below = { $name }: up to { $most } requests a day
volume-between = { $name }: { $least } to { $most } requests a day
volume-above = { $name }: more than { $least } requests a day
volume-any = { $name }
volume-assumed = These configurations are an example (assumed): `volumes:` in a profile names your own.
volume-container = Container
volume-instance = Instance
volume-instances = Instances
volume-all-ram = RAM in all
volume-config = Config
volume-models = Models
volume-concurrency = Most in flight
volume-useful = useful: { $useful }
volume-queue = Queue
volume-unlimited = without limit: requests wait
volume-usage = RAM usage
volume-idle = Idle
volume-idle-after = Idle, late models loaded
volume-peak = Peak ({ $n } in flight)
volume-margin = Safety margin
volume-none = none: { $short } too little
volume-option = Option { $letter }: { $kind }
volume-horizontal = horizontal scaling
volume-vertical = vertical scaling
volume-any-option = One box cannot be told from another by resilience: take the cheaper.
volume-recommended = Recommended: option { $letter }. It survives the loss of a box, with { $left } left.

## Workers and other topologies
workers-single = ✔ One process, shared models
workers-several = { $n ->
    [one] ✘ { $count } processes, 1 request
   *[other] ✘ { $count } processes, { $n } requests
}
workers-shared = Shared
workers-worker = Process { $i }
workers-waste = Wasted: { $bytes } ({ $share } more RAM), which is (processes − 1) × base = { $closed }
workers-nothing = The same CPUs give the same requests a second: more processes bring nothing here and take memory. Where an interpreter lock or a crash makes several worth it, this is their price.
workers-measured = What processes share of files is not counted here; “Other topologies” has it, measured where --topologies workers ran them.
topologies-title = With { $n } in flight
topologies-checked = at { $n }: { $predicted } for { $observed } ({ $error })

## Antipatterns
habits-singleton = One model for all requests
habits-per-request = A model for each request
habits-per-request-cost = { $n } requests at once: { $copies } of copies, { $total } with their buffers
habits-right-cost = { $n } requests at once: { $total }
habits-workers = A process for each core
habits-workers-wrong = { $count } processes
habits-workers-right = One process
habits-loaded = Loaded { $count } times. With { $n } requests, as below: { $total }
habits-one-copy = One copy
habits-locks = Two first requests at the same moment would load it twice without the lock. Threads share it; a framework's reloader or a second process does not.
code-right = # right: loaded once
code-wrong = # wrong: loaded for every request
code-lock = {"    "}with loading:  # two first requests must not load it twice
code-once = # { $bytes }, ONCE
code-reuse = # the same instance
code-first = # loads: { $bytes }
code-second = # reuses: { $bytes } more
code-every-time = # { $bytes } EVERY TIME
code-two = # a second request at the same time: { $bytes } in all
code-many = # { $n } requests: { $bytes }
code-each-worker = # wrong: each process loads its own
code-one-process = # right: one process, threads share it

## Workload
workload-rates = Requests
workload-per-day = a day
workload-average = a second, average
workload-hours = in { $hours } h of the day
workload-peak = a second, peak
workload-flight = In flight
workload-residence = time in the service
workload-average-n = average
workload-peak-n = peak
workload-ram = RAM at the peak
workload-enough = { $ram } is enough: { $bytes } stay free, { $of_ram } of the box, { $of_need } of the need (the box is { $ratio } of it)
workload-short = { $ram } is not enough: { $need } are needed
workload-busy-average = Average, { $rate }: the CPUs are { $busy } busy ({ $word })
workload-busy-peak = Peak, { $rate }: the CPUs are { $busy } busy ({ $word })
queue-how = Requests come at random (Poisson). In flight: where everything is admitted at once and shares the CPUs; exact for requests of any length.
queue-how-quota = Requests come at random (Poisson). In flight: where everything is admitted at once and shares the CPUs, whose quota is spent in periods of 100 ms; simulated.
queue-times = Times at 50, 95 and 99 %: first come, first served behind the limit below, simulated with the CPU time of requests as they were measured when they came at random.
queue-times-declared = Times at 50, 95 and 99 %: first come, first served behind the limit below, simulated.
queue-beyond = more than the CPUs give
queue-never = none
queue-objective-kept = { $name } within { $latency } is kept up to { $rate }
queue-objective-broken = { $name } within { $latency } is kept up to { $rate } only, fewer than were asked about
queue-objective-never = { $name } within { $latency } is never kept: a lone request takes longer
queue-admission = What to admit
queue-limit = Run at once, a semaphore of
queue-queue = Wait at most
queue-queue-buys = the next is refused and hears at once that it could not be served in time
queue-timeout = Time-out of those that wait
queue-timeout-buys = no CPU time for answers that nobody waits for
queue-too-fast = { $rate } is more than the CPUs give: the queue grows for as long as it lasts, and without a limit RAM with it
queue-safe = At { $rate } RAM holds whatever comes, limit or not
queue-needs-limit = At { $rate } the chance that in a day more are in flight than RAM holds is { $chance }; with the limit there is none
queue-held-title = RAM with { $n } running at most, the others waiting
queue-held = RAM = base + running × inference + waiting × held: what waits holds its body and the decoded image, not what the models need.

## Storage and network
storage-models = Models
storage-application = Application
storage-dependencies = Dependencies
storage-system = Runtime and system
storage-user = User data
storage-remote = elsewhere
storage-sum = Subtotal
storage-sums = In all
storage-core = Application and models
storage-growth = Room to grow
storage-recommended = Recommended
storage-undeclared = Only the files of the models are known: `storage:` in a profile names the rest.
network-inbound = Received
network-outbound = Sent
network-times = × { $n } { $note }
network-total = Each request
network-mean = On average { $mean_in } in and { $mean_out } out; months are reckoned with the most, { $high_in } and { $high_out }.
network-most = Enough for { $n } requests a month, with and without pages; { $outbound } where only what is sent counts.
traffic-scenario = { $name }: { $users } users a month
traffic-pages = Pages
traffic-views = { $n } views
traffic-month = a month
traffic-note = GB are decimal. Many providers count only what is sent.

## Boxes
tiers-title = { $n }. { $name }
tiers-assumed = Prices are list prices of one provider's plain virtual machines (assumed): `tiers:` in a profile names yours.
tiers-for = Suitable for
tiers-users-below = up to { $most } users a month
tiers-users-between = { $least } to { $most } users a month
tiers-users-from = { $least } users a month and more
tiers-price = Price a month
tiers-none = RAM holds no request{"."} ({ $n } at once; by RAM { $holds })
tiers-single = One request at a time ({ $n }); RAM would hold { $holds }
tiers-at-once = { $n } requests at once; RAM would hold { $holds }
tiers-slow = Slow: { $time } alone ({ $rate } one at a time)
tiers-response = { $time } alone ({ $rate } one at a time)
tiers-crash = Dies under load: { $n } in flight take { $used } of the RAM
tiers-tight = Little to spare: { $n } in flight take { $used } of the RAM
tiers-room = Room to grow: { $n } in flight take { $used } of the RAM
tiers-choice = For { $users } users a month: { $name }
tiers-no-choice = For { $users } users a month none of these is enough
tiers-least-best = The smallest that serves: { $least }. The smallest with comfort: { $best }.
tiers-least = The smallest that serves: { $least }; none serves with comfort.
tiers-too-small = None of these serves.
tiers-used = taken when busy
tiers-free = free
tiers-missing = missing
upgrade-not-ready = { $ram }: NOT READY FOR PRODUCTION
upgrade-marginal = { $ram }: with little to spare
upgrade-ready = { $ram }: ready for production
upgrade-minimum = Option { $letter }: the least, { $name }
upgrade-recommended = Option { $letter }: recommended, { $name }
upgrade-from-to = From → to
upgrade-arrow = { $from } → { $to }
upgrade-cost = More a month
upgrade-now = now { $price }
upgrade-result = Result
upgrade-gives = { $at_once } at once, { $time } each
upgrade-keep = Option { $letter }: keep it, for development only
upgrade-keep-development = local development
upgrade-keep-testing = tests
upgrade-keep-demo = demonstrations
upgrade-keep-not = NOT for production

## Tips
tips-memory = Memory
tips-cpu = CPU
tips-storage = Storage
tips-bandwidth = Bandwidth
tips-quantize = Weights in 16 or 8 bits: { $less } less of { $models }.
tips-lazy = Load models with the first request that needs them: { $bytes } less at the start.
tips-lazy-is = Late models are loaded when they are needed: { $bytes } less until then.
tips-warm-up = Warm up before serving: { $bytes } less with { $n } first requests at once after a restart. --warmed leaves it out.
tips-warm-up-nothing = Warming up before serving saves no RAM: { $n } first requests at once took no more than on a warm service.
tips-swap = { $bytes } of swap absorb a spike; a service that lives in it is ten times slower.
tips-batch = Small batches: queue requests and run a few together where the model allows it. `measure --vary batch=1,4` measures it.
tips-onnx = ONNX Runtime, two to three times faster by reports: { $time } of CPU time, { $rate }. Measure it before believing it.
tips-settings = Session settings change RAM and time by tens of percent: `measure --vary arena=on,off --vary threads=1,2` measures them.
tips-workers = Threads rather than processes: each further process takes its own base of { $base }.
tips-files = Half precision halves the files: { $less } less of { $files }.
tips-logs = Rotate logs at { $bytes }.
tips-cache = Keep preprocessed inputs only as long as they are used.
tips-compress = { $name }: a lossy image format sent as bytes, about { $bytes } less in the busiest month.
tips-cdn = Static files from a content network: { $bytes } less in the busiest month.
tips-lazy-images = Load images when they come into view.
tips-assumed = What is saved is reckoned with usual factors (assumed); only a measurement tells.

## Warnings
warnings-critical = This box is too small
warnings-notes = Notes
warning-oom = Out of memory
warning-models = The models take { $bytes }.
warning-runtime = The base without them takes { $bytes }.
warning-fixed = Together { $bytes }, { $share } of the RAM, before any request.
warning-first = The first request needs { $need } of { $ram }: it is killed.
warning-swap = Thrashing
warning-swap-slow = With swap a request takes about { $time }.
warning-swap-busy = The CPUs are busy with moving pages.
warning-users = Users at once
warning-users-most = RAM holds { $users } at once.
warning-no-degradation = One more is not slower but kills the service, with all that is in flight.
warning-unstable = Instability
warning-restarts = It is restarted again and again, and loses what was in flight.
warning-experience = Users see errors, not slowness.
note-synthetic-weights = The weights are random, made for the architecture and not trained. That changes neither RAM nor CPU, because shapes, operators and element types are those of the trained model, dense 32-bit float kernels take the same time whatever the values, and no value is a denormal number, which would be slow. Only the meaning of the answers is lost. --model FILE sizes your own weights.
note-partial = The measurement was stopped before its end: fewer processes and fewer requests in flight stand behind these numbers, so they are less certain. --remeasure measures again.
note-killed = A measured process was killed { $when } (signal { $signal }{ $by }): the numbers rest on what was measured before. On a machine with more free RAM, --remeasure measures further.
note-topology-killed = Topology { $topology } was killed { $when } (signal { $signal }): this machine has no room for it, and what is said of it rests on what was measured before.
note-bends-up = RAM does not grow along a straight line: each further request costs more than the one before, and the curve is up to { $share } of the increment away from the line. Beyond the measured requests in flight the plan is likely too low. A larger --max-time with --remeasure measures more of them.
note-bends-down = RAM does not grow along a straight line: each further request costs less than the one before, and the curve is up to { $share } of the increment away from the line. Beyond the measured requests in flight the plan is likely too high. A larger --max-time with --remeasure measures more of them.
note-not-flat = The peak { $n ->
    [one] at 1 request
   *[other] at { $n } requests
} in flight still rose when its time was up: the true one may be higher than planned for. A larger --max-time with --remeasure waits until it stays.
note-not-checked = The fit was not checked at a concurrency that it was not made from, so its error is not known: the measurement was stopped early, a process was killed, or this machine had no memory for it. --remeasure measures again.
note-not-tried = The line was made from all that was measured, so nothing is left to check it. `mediscope-size verify` runs the service in a box of this size.
note-extrapolated = The answer goes beyond the { $n ->
    [one] 1 request
   *[other] { $n } requests
} in flight that were measured: from there on RAM is taken to grow along the same line. A larger --max-time with --remeasure measures further.
note-grows = Its memory grows by { $bytes } with each request and does not come back: no box holds that for ever{ $until }. What is planned here is without it.
note-grows-until = , this one for about { $n } requests
note-burst-failed = A burst of { $n } right after a start was too much for the service ({ $what }): warm it up before it gets traffic.
note-one-burst = Only one burst right after a start was measured, { $n } at once: how much the next may differ is not known. A larger --max-time (with --remeasure for a footprint that was kept) measures three; --warmed plans for a service that answers some requests before it gets traffic.
note-could-not-stand = The service could not stand { $n } in flight ({ $what }): the numbers rest on fewer.
note-not-the-service = The processes that were measured used neither CPU time nor memory while requests were answered: others answered them, and nothing here is of the service. Name what serves: measure --cgroup DIR (of a container below /sys/fs/cgroup) or --pid PID.
note-heap-follows-ram = { $runtime } sizes its heap by the RAM that it may use, and it was measured with { $ram }: with another amount it takes another. Measure it inside the limit that you plan for (measure --ram { $size }), or fix the size of its heap.
note-heap-go = Go collects garbage only once the heap has doubled, however little RAM there is, and it was measured with { $ram }: set GOMEMLIMIT, and measure it inside the limit that you plan for (measure --ram { $size }).
note-still-accumulates = Its memory rose by { $bytes } over { $n } requests and had not levelled off when the time was over: a larger --max-time tells where that ends. What is planned here is with it.
note-bodies-used-up = Its memory rose by { $bytes } with each new body, and its bodies were used up after { $n } requests: with more of them (--body FOLDER) it may rise further. What is planned here is with it.
note-unexplained = With { $n } in flight again after more it took { $seen }, where { $low } to { $high } was to be expected from the rounds before and from what requests leave behind. What is planned here is as uncertain as that.
note-repeated = The same bodies were sent again and again: the first answer took { $first } and { $firstcpu } of CPU time, later ones { $later } and { $latercpu }. Either answers are kept and new bodies cost as much as the first, or something else was made once: different bodies tell (--body FOLDER). What is planned here is from first answers alone.
note-tmpfs = { $path }, on which it had files open, filled up by as much as { $bytes } meanwhile. In a container that is charged to the service, and it is not counted here: start it with this tool as root (-- COMMAND), or name its control group (--cgroup).
note-declared-costs = Nothing was measured: the costs are those that the profile declares.
note-validation-failed = The fit missed a concurrency that it did not use by { $error }, more than its interval allows.
note-wide-memory = The memory limit is known to ± { $share } only; a longer measurement (--max-time) narrows that.
note-wide-cpu = The CPU time of a request is known to ± { $share } only; a longer measurement (--max-time) narrows that.
note-disturbed = { $what }
note-no-room = { $n ->
    [one] 1 request
   *[other] { $n } requests
} in flight would have taken more memory than the measuring machine had free, so fewer were measured and the rest is extrapolated. A larger machine measures more of them.
note-assumed-shape = The model leaves shapes open and nobody gave them, so these are assumed: { $dims }. RAM and time follow the shape: give what requests have with --shape, or under `inputs:` in a profile.
note-assumed-value = Nobody gave these numbers that inputs are fed with, so they are assumed: { $values }. A length, a count or a size can decide what a run costs: give what requests have with --input NAME=VALUE, or under `inputs:` in a profile.
note-one-step = One run of { $model } is one step, as its { $port } shows, and a request takes many: its time is that of all of them, and what it keeps from step to step grows. Requests here are single steps of the shapes that were fed: give the longest with --shape, and multiply times by the steps of a request.
note-model-alone = What is measured is the models, in a small process of this tool. The server process around them, as an interpreter with a web framework, needs memory of its own beside that: --program (`program:` in a profile) adds it to the base, measured here for python-fastapi and node, or as a size such as 120M, or 8M for a service that is little more than the models.
note-other-cpu = The footprint was measured on another processor ({ $cpu }): bytes carry over, but times and requests a second may not. --remeasure measures on this one.
note-largest-image = Requests may carry images of { $sizes }: everything here is for the largest.
note-more-cpus = Measured on { $n ->
    [one] 1 CPU
   *[other] { $n } CPUs
}: that requests a second grow with the CPUs beyond that is an assumption, as memory bandwidth and caches are shared. Measure on a machine of that size to know.
note-more-cpus-scaled = Measured on { $n } CPUs, which together did { $times } times what one did. Beyond that each doubling is taken to lose as much, and up to 5 % more at the low end (assumed), as memory bandwidth and caches are shared. Measure on a machine of that size to know.
note-threads-above = A run uses { $n } threads, more than the box has CPUs: they use up its quota together and then all wait for the kernel's next period, so answers take longer. Fewer threads or a larger --cpus avoids that.

## Monitoring
watch-memory = # memory
watch-group = # the group that the kernel enforces (cgroup v2)
watch-disk = # disk
watch-network = # network
watch-log = # logs of the service
watch-thresholds = What to watch
watch-response = Response time
watch-response-slow = a normal request takes longer: this alarm would ring without load
watch-ok = as planned
watch-memory-share = Memory
watch-memory-any = of the limit of the box
watch-memory-within = { $n } in flight stay below; { $most } fit and take { $full }
watch-cpu-average = CPU, average
watch-cpu-peak = CPU, peak
watch-errors = Errors
watch-uptime = Uptime
watch-downtime = { $time } a month may be missing
watch-assumed = These limits are usual ones (assumed): `thresholds:` in a profile names yours.
watch-prometheus = As alert rules for Prometheus: --section monitoring --format prometheus.

## Trust
trust-measured = Measured at N = { $ns } in { $n } processes, R² = { $r }.
trust-measured-one = Measured at N = { $ns } in one process, R² = { $r }. One process does not show how others differ: that is assumed.
trust-inside = From the smaller N alone, N = { $n } was predicted at { $predicted } (95 %: { $range }); other processes took { $observed }, inside the interval: { $error } of the total, { $increment } of the increment
trust-outside = From the smaller N alone, N = { $n } was predicted at { $predicted } (95 %: { $range }); other processes took { $observed }, outside the interval, so the ranges here may be too narrow: { $error } of the total, { $increment } of the increment
trust-arena = One run asks the arenas for { $bound } at the most, whether it touches all of that or not; waves with all runs held under way together reached { $reached } a request, everything included, and that is what the verdict uses.
trust-retained = { $bytes } stay allocated after the largest wave.
trust-declared = Nothing here is measured: these are the costs that the profile declares, and what follows from them. A verdict is as good as they are.
units-binary = 1 MB is 1024 × 1024 bytes here, and 1 GB is 1024 MB.
units-binary-decimal = 1 MB is 1024 × 1024 bytes here. 1 GB of a box is 1024 MB; of a total in print, as the profile's author writes it, 1000 MB.
units-decimal = 1 MB is 1,000,000 bytes here, and 1 GB is 1000 MB, of boxes too.

## Frame
about-measured = { $models ->
    [one] 1 model
   *[other] { $models } models
}, topology { $topology }, { $threads ->
    [one] 1 thread
   *[other] { $threads } threads
} a run{ $settings }{ $image }. ONNX Runtime { $runtime } on { $cpu } ({ $cores ->
    [one] 1 core
   *[other] { $cores } cores
}). { $footprint }.
about-live = A service that runs by itself ({ $target }), topology { $topology }. Measured from outside on { $cpu } ({ $cores ->
    [one] 1 core
   *[other] { $cores } cores
}). { $footprint }.
about-image = ; request image { $size } ({ $origin })
about-declared = Costs as the profile { $name } declares them; nothing is measured.
closing-date = Report of { $date }.
closing-review = To be made again { $review }.
found-box = This box: { $what }.

## Side by side
compare-base = Base
compare-each = Each request
compare-ten = RAM with 10 in flight
compare-holds = Requests that { $ram } hold
compare-cpu = CPU time of a request
compare-alone = Time of a request alone
compare-rate = Requests a second on { $cpus }
compare-least = Smallest box that serves
compare-best = Smallest box with comfort
compare-price = Price a month with comfort
compare-sources = Sources
compare-note = Change is from { $from } to { $to }.

## The answer
answer-fits = FITS
answer-tight = TIGHT
answer-does-not-fit = DOES NOT FIT
answer-unknown = UNKNOWN
decides-memory = memory
decides-cpu = the CPUs
decides-latency = the latency target
decides-disk = the disk
decides-bandwidth = the bandwidth
confidence-high = high confidence
confidence-medium = medium confidence
confidence-low = low confidence
verdict-line = { $answer }: { $target } · limited by { $binding } · { $confidence }
verdict-line-free = { $answer }: { $target } · { $confidence }
verdict-needs = NEEDS { $what } · { $confidence }
verdict-no-question = No target: add --ram 1G --cpus 1, or --rps 10 for the least that answers
verdict-least = The least that answers: { $what }.
verdict-none = No size that is tried answers this.
finding-no-request = Not even one request fits: it needs { $limit }, and there is { $ram }.
finding-too-many = { $n } concurrent requests need { $limit }, more than { $ram }.
finding-little-memory = { $n ->
    [one] 1 concurrent request needs
   *[other] { $n } concurrent requests need
} { $limit } of { $ram }: little is left.
finding-memory = { $n ->
    [one] 1 concurrent request needs
   *[other] { $n } concurrent requests need
} { $limit } of { $ram }.
finding-below-saturation = The RAM holds { $n } of the { $busy } concurrent requests that keep the CPUs busy: set a concurrency limit of { $n }.
finding-needs-limit = Without a concurrency limit of { $n }, the risk of running out of memory is { $risk } per day.
finding-rate-above = { $rate } is more than it can answer: { $most }.
finding-little-throughput = { $rate } takes { $share } of the { $most } that it can answer: little is left.
finding-rate = { $rate } takes { $share } of the { $most } that it can answer.
finding-slo-never = Even a request that is alone misses the latency target.
finding-slo-missed = The latency target is met up to { $most } only.
finding-slo-nearly = The latency target is met up to { $most }: little is left.
finding-slo-met = The latency target is met up to { $most }.
finding-too-slow = { $n } concurrent requests take { $time } each, longer than the latency target.
finding-quota = A quota of { $cpus } makes a request that is alone take { $time }.
finding-disk = What is stored takes { $need }, more than the { $has } of the disk.
finding-little-disk = What is stored takes { $need } of the { $has } of the disk: little is left.
finding-bandwidth = The busiest month takes { $need }, more than the { $has } that are included.
finding-little-bandwidth = The busiest month takes { $need } of the { $has } that are included: little is left.
finding-fewer-users = It is meant for fewer than { $users } users per month.
finding-unknown = No verdict: what was measured does not tell what a request takes.
memory-line = RAM = base + N × buffer = { $base } + N × { $buffer }. Set a limit of { $limit } for { $n ->
    [one] 1 concurrent request
   *[other] { $n } concurrent requests
}; below { $threshold } the kernel kills.
memory-line-declared = RAM = base + N × buffer = { $base } + N × { $buffer }. Set a limit of { $limit } for { $n ->
    [one] 1 concurrent request.
   *[other] { $n } concurrent requests.
}
column-concurrent = Concurrent
column-memory = RAM
column-limit-bytes = Limit
column-per-second = Per second
column-response-time = Response
column-fits = Fits
column-server = Server
column-safe = Holds
column-rate-at-slo = In time
column-price = Price
column-verdict = Verdict
remark-eager = before lazy loading
remark-idle-short = idle
remark-asked = asked for
remark-saturation = CPUs busy
remark-safe = RAM full
server-recommended = { $mark } { $answer }, cheapest
next-verify = Next: the same options after `mediscope-size verify` prove it in a real cgroup. --full prints everything.
next-full = --full prints everything, --section NAME one part of it.
next-target = Next: --ram and --cpus ask about a server, --rps and --slo for a load. --full prints everything.
column-server-rate = Max rate
queue-limit-takes = with a full queue { $ram }
finding-slow = A request that is alone takes { $time }, longer than the { $most } at which the profile sets an alarm.
