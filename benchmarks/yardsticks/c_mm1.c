/* Yardstick: M/M/c, first come first served, in plain C.
 *
 *   gcc -O3 -march=native -DMETRICS=1 c_mm1.c -o c_mm1 -lm
 *   ./c_mm1 SERVERS RATE_PER_S MEAN_SERVICE_S DURATION_S BUCKET_S SEED
 *
 * With METRICS=1 it keeps what sysim keeps for the same system: counts and outcomes of load, service and call, histograms
 * and exact moments of waiting, sojourn and latency, time averages, and counters for each time bucket. */
#include "common.h"

enum { ARRIVAL = 0, DONE = 1 };

typedef struct {
    int64_t offered, ok, arrivals, completed, calls, attempts, done, in_system, queue, busy;
    uint32_t latency[512]; /* coarse: eight columns an octave or so */
} Bucket;

typedef struct {
    int64_t arrived, started;
    uint64_t key;
    int32_t bucket;
} Job;

int main(int argc, char **argv) {
    if (argc != 7) {
        fprintf(stderr, "usage: %s SERVERS RATE_PER_S MEAN_SERVICE_S DURATION_S BUCKET_S SEED\n", argv[0]);
        return 2;
    }
    int64_t servers = atoll(argv[1]);
    double gap_ns = 1e9 / atof(argv[2]), work_ns = 1e9 * atof(argv[3]);
    int64_t end = (int64_t)(1e9 * atof(argv[4])), UNUSED width = (int64_t)(1e9 * atof(argv[5]));
    uint64_t seed = derive(strtoull(argv[6], NULL, 10), 0);

    Heap heap = {0};
    heap_room(&heap, servers + 8);
    Ring queue = {0};
    int32_t room = 1024, used = 0, free_head = -1;
    Job *jobs = allocate((size_t)room, sizeof *jobs);
    int32_t *next_free = allocate((size_t)room, sizeof *next_free);
    int64_t busy = 0, waiting = 0, arrivals = 0, completed = 0, now = 0;
    UNUSED double total_sojourn = 0.0;
#if METRICS
    Duration wait, sojourn, latency, latency_all;
    duration_init(&wait), duration_init(&sojourn), duration_init(&latency), duration_init(&latency_all);
    Level in_system = {0}, queued = {0}, working = {0};
    int64_t nbuckets = (end + width - 1) / width, bucket = 0, edge = width;
    Bucket *buckets = allocate((size_t)nbuckets + 1, sizeof *buckets);
    int64_t outcomes[14] = {0}, call_outcomes[14] = {0}, attempt_outcomes[14] = {0}, load_outcomes[14] = {0};
#endif

    double begin = cpu_seconds();
    uint64_t next_key = derive(seed, 0);
    heap_push(&heap, exponential(next_key, 0, gap_ns), ARRIVAL);
    while (heap.at[0].time < end) {
        Entry e = heap_take(&heap);
        now = e.time;
#if METRICS
        while (now >= edge) {
            Bucket *b = &buckets[bucket++];
            b->in_system = level_cut(&in_system, edge), b->queue = level_cut(&queued, edge);
            b->busy = level_cut(&working, edge);
            edge += width;
        }
#endif
        int32_t j;
        if ((e.tag & 1) == ARRIVAL) {
            if (free_head >= 0) {
                j = free_head, free_head = next_free[j];
            } else {
                if (used == room) {
                    room *= 2;
                    jobs = realloc(jobs, (size_t)room * sizeof *jobs);
                    next_free = realloc(next_free, (size_t)room * sizeof *next_free);
                    if (!jobs || !next_free) return 1;
                }
                j = used++;
            }
            arrivals++;
            jobs[j].arrived = now, jobs[j].key = next_key;
            next_key = derive(seed, (uint64_t)arrivals);
            heap_push(&heap, now + exponential(next_key, 0, gap_ns), ARRIVAL);
#if METRICS
            jobs[j].bucket = (int32_t)bucket;
            Bucket *b = &buckets[bucket];
            b->offered++, b->arrivals++, b->calls++, b->attempts++;
            level_add(&in_system, now, 1);
#endif
            if (busy == servers) {
                waiting++;
                ring_put(&queue, j);
#if METRICS
                level_add(&queued, now, 1);
#endif
                heap_settle(&heap);
                continue;
            }
            busy++;
#if METRICS
            level_add(&working, now, 1);
#endif
        } else {
            int32_t d = (int32_t)(e.tag >> 1);
            completed++;
#if METRICS
            Job *job = &jobs[d];
            int64_t span = now - job->arrived;
            observe(&wait, job->started - job->arrived);
            observe(&sojourn, span), observe(&latency, span), observe(&latency_all, span);
            level_add(&in_system, now, -1);
            outcomes[0]++, call_outcomes[0]++, attempt_outcomes[0]++, load_outcomes[0]++;
            buckets[bucket].done++;
            Bucket *b = &buckets[job->bucket];
            b->ok++, b->completed++, b->latency[(hist_column(span) >> 4) & 511]++;
#else
            total_sojourn += (double)(now - jobs[d].arrived);
#endif
            next_free[d] = free_head, free_head = d;
            if (!waiting) {
                busy--;
#if METRICS
                level_add(&working, now, -1);
#endif
                heap_settle(&heap);
                continue;
            }
            waiting--;
            j = ring_take(&queue);
#if METRICS
            level_add(&queued, now, -1);
#endif
        }
        jobs[j].started = now;
        heap_push(&heap, now + exponential(jobs[j].key, 1, work_ns), (uint64_t)j << 1 | DONE);
        heap_settle(&heap);
    }
    double cpu = cpu_seconds() - begin;

    int64_t useful = arrivals + completed;
    printf("{\"name\": \"c_mm%lld\", \"metrics\": %d, \"useful_events\": %lld, \"requests\": %lld, \"cpu_s\": %.6f",
           (long long)servers, METRICS, (long long)useful, (long long)completed, cpu);
#if METRICS
    level_cut(&in_system, end), level_cut(&queued, end), level_cut(&working, end);
    printf(", \"wait_mean_s\": %.6g, \"sojourn_mean_s\": %.6g, \"sojourn_p99_s\": %.6g, \"in_system_mean\": %.6g, "
           "\"queue_mean\": %.6g, \"utilisation\": %.6g, \"ok\": %lld}\n",
           duration_mean(&wait), duration_mean(&sojourn), hist_quantile(sojourn.columns, 0.99),
           (double)in_system.total / (double)end, (double)queued.total / (double)end,
           (double)working.total / (double)end / (double)servers,
           (long long)(outcomes[0] & call_outcomes[0] & attempt_outcomes[0] & load_outcomes[0]));
#else
    printf(", \"sojourn_mean_s\": %.6g}\n", total_sojourn / (double)completed * 1e-9);
#endif
    return 0;
}
