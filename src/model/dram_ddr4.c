/* DDR4: channels of ranks of banks, each with one open row. A line whose row is open takes t_cl and
 * its burst on the channel's bus; one in a closed bank t_rcd more (activate); one that finds
 * another row open t_rp more (precharge, not before t_ras after that row's activation). Rows stay
 * open. The controller's share (memory.latency) comes on top.
 *
 * From its lowest bits, a line's number is channel, column, bank, rank, row (gem5's RoRaBaCoCh).
 *
 * Reads go before writes: these wait in a queue a channel, as in gem5's MemCtrl (64 of
 * write_buffer_size, drained from 85 to 50 per cent; src/mem/MemCtrl.py, MemInterface.py), and are
 * then written together, those to open rows first. Neighbours in a cache's set fall into one bank,
 * so without the queue every write-back would close the row that is being read.
 *
 * Not modelled: reordering of reads (each is served when it comes), refresh, four-activate windows,
 * bank groups, write recovery and turning the bus round (t_faw, t_rrd, t_ccd_l, t_wr, t_wtr, t_rtp;
 * t_cwl is taken to be t_cl), power states, closing rows ahead of time. */
#include "model/dram.h"
#include "model/later.h"

#include <string.h>

enum {
    QUEUE = 64,        /* writes */
    QUEUE_HIGH = 54,   /* 85 % of it: draining starts */
    QUEUE_LOW = 32,    /* 50 %: and stops */
    FRACTION_BITS = 16 /* times in here are in cycles / 2^16: few DRAM times are whole cycles */
};

/* When something is busy: its last unbroken period. Who asks from before it (askers are only nearly
 * in order) finds it free. */
struct busy {
    uint64_t from, until;
};

struct bank {
    uint64_t row; /* the open one's number, plus 1; 0: closed */
    uint64_t activated;
    struct busy busy;
};

struct channel {
    struct busy bus;
    unsigned queued;
    uint64_t queue[QUEUE]; /* addresses of lines to write, oldest first */
};

struct ddr4 {
    uint64_t latency; /* cycles */
    uint64_t t_rcd, t_cl, t_rp, t_ras, t_burst;
    uint64_t channels, banks /* of all ranks of a channel */, columns /* lines of a row */;
    unsigned line_shift;
    struct bank *bank;
    struct channel channel[];
};

static size_t size(const struct model_parameters *parameters) {
    const struct memory_parameters *memory = &parameters->memory;
    return sizeof(struct ddr4) +
           memory->channels *
               (sizeof(struct channel) + memory->ranks * memory->banks * sizeof(struct bank));
}

static void init(void *state, const struct model_parameters *parameters) {
    const struct memory_parameters *memory = &parameters->memory;
    struct ddr4 *ddr4 = state;
    unsigned __int128 scale = (unsigned __int128)parameters->clock << FRACTION_BITS;
    const unsigned __int128 second = 1000000000000; /* ps */
    *ddr4 = (struct ddr4){
        .latency = cycles_of_picoseconds(memory->latency, parameters->clock),
        .t_rcd = (uint64_t)(memory->t_rcd * scale / second),
        .t_cl = (uint64_t)(memory->t_cl * scale / second),
        .t_rp = (uint64_t)(memory->t_rp * scale / second),
        .t_ras = (uint64_t)(memory->t_ras * scale / second),
        .t_burst = (uint64_t)(memory->t_burst * scale / second),
        .channels = memory->channels,
        .banks = memory->ranks * memory->banks,
        .columns = memory->row_size / parameters->line_size,
        .line_shift = (unsigned)__builtin_ctzll(parameters->line_size),
        .bank = (struct bank *)&ddr4->channel[memory->channels],
    };
}

struct place {
    struct channel *channel;
    struct bank *bank;
    uint64_t row;
};

static struct place find(struct ddr4 *ddr4, uint64_t address) {
    uint64_t number = address >> ddr4->line_shift;
    uint64_t channel = number % ddr4->channels;
    number /= ddr4->channels * ddr4->columns;
    return (struct place){
        .channel = &ddr4->channel[channel],
        .bank = &ddr4->bank[channel * ddr4->banks + number % ddr4->banks],
        .row = number / ddr4->banks + 1,
    };
}

/* Occupy from `start`, at or after the end of what is known, until `until`. */
static void occupy(struct busy *busy, uint64_t start, uint64_t until) {
    if (start > busy->until)
        busy->from = start;
    busy->until = until;
}

/* When the bank can take the column command for that row, from `time` on. */
static uint64_t open_row(struct ddr4 *ddr4, struct place place, uint64_t time,
                         struct dram_counts *counts) {
    struct bank *bank = place.bank;
    bool from_before = time < bank->busy.from;
    uint64_t start = from_before ? time : later(time, bank->busy.until), column = start;
    if (bank->row == place.row) {
        counts->row_hits++;
    } else if (!bank->row) {
        counts->row_closed++;
        column = start + ddr4->t_rcd;
    } else {
        counts->row_conflicts++;
        uint64_t precharge = from_before ? start : later(start, bank->activated + ddr4->t_ras);
        column = precharge + ddr4->t_rp + ddr4->t_rcd;
    }
    if (!from_before) {
        if (bank->row != place.row)
            bank->activated = column - ddr4->t_rcd;
        occupy(&bank->busy, start, column + ddr4->t_burst);
    }
    bank->row = place.row;
    return column;
}

/* Move a line's data over the channel's bus. Returns when the last of them has passed. */
static uint64_t transfer(struct ddr4 *ddr4, struct place place, uint64_t time,
                         struct dram_counts *counts) {
    struct busy *bus = &place.channel->bus;
    uint64_t data = open_row(ddr4, place, time, counts) + ddr4->t_cl;
    if (data >= bus->from) {
        data = later(data, bus->until);
        occupy(bus, data, data + ddr4->t_burst);
    }
    return data + ddr4->t_burst;
}

static unsigned find_queued(const struct channel *channel, uint64_t address) {
    unsigned i = 0;
    while (i < channel->queued && channel->queue[i] != address)
        i++;
    return i;
}

/* The oldest write to an open row, else the oldest. */
static unsigned choose_write(struct ddr4 *ddr4, const struct channel *channel) {
    for (unsigned i = 0; i < channel->queued; i++) {
        struct place place = find(ddr4, channel->queue[i]);
        if (place.bank->row == place.row)
            return i;
    }
    return 0;
}

static void queue_write(struct ddr4 *ddr4, struct channel *channel, uint64_t address, uint64_t time,
                        struct dram_counts *counts) {
    if (find_queued(channel, address) < channel->queued)
        return;
    channel->queue[channel->queued++] = address;
    if (channel->queued < QUEUE_HIGH)
        return;
    while (channel->queued > QUEUE_LOW) {
        unsigned chosen = choose_write(ddr4, channel);
        transfer(ddr4, find(ddr4, channel->queue[chosen]), time, counts);
        channel->queued--;
        memmove(&channel->queue[chosen], &channel->queue[chosen + 1],
                (channel->queued - chosen) * sizeof channel->queue[0]);
    }
}

static uint64_t access(void *state, uint64_t address, bool write, uint64_t now,
                       struct dram_counts *counts) {
    struct ddr4 *ddr4 = state;
    uint64_t time = now << FRACTION_BITS;
    address = address >> ddr4->line_shift << ddr4->line_shift;
    struct place place = find(ddr4, address);
    if (write) {
        queue_write(ddr4, place.channel, address, time, counts);
        return now;
    }
    if (find_queued(place.channel, address) < place.channel->queued) {
        counts->forwarded++;
        return now + ddr4->latency;
    }
    uint64_t done = transfer(ddr4, place, time, counts);
    return ((done + (1 << FRACTION_BITS) - 1) >> FRACTION_BITS) + ddr4->latency;
}

const struct dram_model dram_ddr4 = {
    .name = "ddr4",
    .size = size,
    .init = init,
    .access = access,
};
