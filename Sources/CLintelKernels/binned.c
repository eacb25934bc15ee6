#include "CLintelKernels.h"
#include "dispatch.h"
#include <string.h>

#define BATCH 1024

static inline uint64_t load64(const uint8_t *at) {
  uint64_t word;
  memcpy(&word, at, 8);
  return word;
}

// For widths to 63.
static inline uint64_t low_bits(uint64_t word, unsigned width) { return word & (((uint64_t)1 << width) - 1); }

// ---------------------------------------------------------------------------------------------------------- encoding

LINTEL_CLONES
uint64_t lintel_binned_quotients(
  const int64_t *restrict values, size_t count, int64_t base, uint64_t inverse, unsigned shift,
  uint64_t *restrict quotients) {
  uint64_t most = 0;
  if (inverse == 1 && shift == 0) {
    for (size_t i = 0; i < count; i++) {
      uint64_t quotient = (uint64_t)values[i] - (uint64_t)base;
      quotients[i] = quotient;
      most = quotient > most ? quotient : most;
    }
    return most;
  }
  for (size_t i = 0; i < count; i++) {
    uint64_t product = ((uint64_t)values[i] - (uint64_t)base) * inverse;
    uint64_t quotient = product >> shift | product << (-shift & 63);
    quotients[i] = quotient;
    most = quotient > most ? quotient : most;
  }
  return most;
}

// Lanes side by side, so that a vector of searches takes its steps together.
LINTEL_CLONES
void lintel_binned_search(
  const uint64_t *restrict values, size_t count, const uint64_t *restrict lowers, unsigned steps,
  uint16_t *restrict bins) {
  uint64_t index[16];
  for (size_t start = 0; start < count; start += 16) {
    size_t lanes = count - start < 16 ? count - start : 16;
    uint64_t value[16] = {0};
    memcpy(value, values + start, lanes * 8);
    for (unsigned lane = 0; lane < 16; lane++) index[lane] = 0;
    for (unsigned step = steps; step > 0; step--) {
      uint64_t half = (uint64_t)1 << (step - 1);
      for (unsigned lane = 0; lane < 16; lane++) {
        uint64_t next = index[lane] + half;
        index[lane] = lowers[next] <= value[lane] ? next : index[lane];
      }
    }
    for (unsigned lane = 0; lane < lanes; lane++) bins[start + lane] = (uint16_t)index[lane];
  }
}

#define ENCODE(lane, i)                                                                                                \
  do {                                                                                                                 \
    lintel_tans_symbol symbol = symbols[bins[i]];                                                                      \
    uint32_t width = (state##lane + symbol.delta_width) >> 16;                                                         \
    emitted[i] = width << 16 | (state##lane & ((1u << width) - 1));                                                    \
    state##lane = next[(int32_t)(state##lane >> width) + symbol.delta_state];                                          \
  } while (0)

LINTEL_CLONES
size_t lintel_tans_encode(
  const uint8_t *restrict bins, size_t count, const lintel_tans_symbol *restrict symbols,
  const uint16_t *restrict next, unsigned log, uint32_t *restrict emitted, uint8_t *restrict out, uint16_t *states) {
  uint32_t state0 = 1u << log, state1 = state0, state2 = state0, state3 = state0;
  size_t full = count & ~(size_t)3;
  // What a decoder reads last is encoded first.
  if (count - full > 2) ENCODE(2, full + 2);
  if (count - full > 1) ENCODE(1, full + 1);
  if (count - full > 0) ENCODE(0, full);
  for (size_t i = full; i > 0; i -= 4) {
    ENCODE(3, i - 1);
    ENCODE(2, i - 2);
    ENCODE(1, i - 3);
    ENCODE(0, i - 4);
  }
  uint32_t size = 1u << log;
  states[0] = (uint16_t)(state0 - size);
  states[1] = (uint16_t)(state1 - size);
  states[2] = (uint16_t)(state2 - size);
  states[3] = (uint16_t)(state3 - size);

  uint8_t *at = out;
  uint64_t pending = 0;
  unsigned fill = 0;
  for (size_t i = 0; i < count; i += 4) {
    size_t lanes = count - i < 4 ? count - i : 4;
    for (size_t lane = 0; lane < lanes; lane++) {
      pending |= (uint64_t)(emitted[i + lane] & 0xFFFF) << fill;
      fill += emitted[i + lane] >> 16;
    }
    memcpy(at, &pending, 8);
    at += fill >> 3;
    pending >>= fill & ~7u;
    fill &= 7;
  }
  return (size_t)(at - out) + (fill > 0);
}

LINTEL_CLONES
size_t lintel_binned_write_offsets(
  const uint64_t *restrict values, const uint8_t *restrict bins, size_t count, const lintel_bin *restrict table,
  uint8_t *restrict out) {
  uint8_t *at = out;
  uint64_t pending = 0;
  unsigned fill = 0;
  for (size_t i = 0; i < count; i++) {
    lintel_bin bin = table[bins[i]];
    uint64_t offset = values[i] - bin.lower;
    unsigned width = (unsigned)bin.width;
    if (width > 56) {
      pending |= (offset & 0xFFFFFFFF) << fill;
      memcpy(at, &pending, 8);
      at += 4;
      pending >>= 32;
      offset >>= 32;
      width -= 32;
    }
    pending |= offset << fill;
    memcpy(at, &pending, 8);
    fill += width;
    at += fill >> 3;
    pending >>= fill & ~7u;
    fill &= 7;
  }
  return (size_t)(at - out) + (fill > 0);
}

// ---------------------------------------------------------------------------------------------------------- decoding

// One step of a state: `word` holds the bits that follow, of which `skip` belong to the states before.
#define STEP(lane, skip)                                                                                               \
  do {                                                                                                                 \
    width##lane = entry##lane >> 8 & 0xFF;                                                                             \
    state##lane = (entry##lane >> 16) + (uint32_t)low_bits(word >> (skip), width##lane);                               \
  } while (0)

// Reads one offset; `position` is its first bit.
static inline uint64_t read_offset(const uint8_t *offsets, uint64_t position, unsigned width, int is_wide) {
  uint64_t word = load64(offsets + (position >> 3)) >> (position & 7);
  if (!is_wide || width <= 56) return low_bits(word, width);
  uint64_t above = load64(offsets + ((position + 32) >> 3)) >> ((position + 32) & 7);
  return (word & 0xFFFFFFFF) | low_bits(above, width - 32) << 32;
}

// The value of each of `count` bins; the position behind the last offset, or UINT64_MAX where they end too early.
#define DEFINE_OFFSETS(name, lane_type)                                                                                \
  static inline uint64_t name(                                                                                         \
    const lintel_bin *restrict table, const uint8_t *restrict bins, size_t count, const uint8_t *restrict offsets,     \
    uint64_t position, uint64_t limit, uint64_t divisor, int is_wide, lane_type *restrict values) {                    \
    size_t i = 0;                                                                                                      \
    for (; i + 4 <= count; i += 4) {                                                                                   \
      const lintel_bin *bin0 = table + bins[i], *bin1 = table + bins[i + 1];                                           \
      const lintel_bin *bin2 = table + bins[i + 2], *bin3 = table + bins[i + 3];                                       \
      uint64_t position1 = position + bin0->width;                                                                     \
      uint64_t position2 = position1 + bin1->width;                                                                    \
      uint64_t position3 = position2 + bin2->width;                                                                    \
      uint64_t end = position3 + bin3->width;                                                                          \
      if (end > limit) return UINT64_MAX;                                                                              \
      values[i] = (lane_type)(                                                                                         \
        bin0->lower + divisor * read_offset(offsets, position, (unsigned)bin0->width, is_wide));                       \
      values[i + 1] = (lane_type)(                                                                                     \
        bin1->lower + divisor * read_offset(offsets, position1, (unsigned)bin1->width, is_wide));                      \
      values[i + 2] = (lane_type)(                                                                                     \
        bin2->lower + divisor * read_offset(offsets, position2, (unsigned)bin2->width, is_wide));                      \
      values[i + 3] = (lane_type)(                                                                                     \
        bin3->lower + divisor * read_offset(offsets, position3, (unsigned)bin3->width, is_wide));                      \
      position = end;                                                                                                  \
    }                                                                                                                  \
    for (; i < count; i++) {                                                                                           \
      const lintel_bin *bin = table + bins[i];                                                                         \
      if (position + bin->width > limit) return UINT64_MAX;                                                            \
      values[i] = (lane_type)(bin->lower + divisor * read_offset(offsets, position, (unsigned)bin->width, is_wide));   \
      position += bin->width;                                                                                          \
    }                                                                                                                  \
    return position;                                                                                                   \
  }

DEFINE_OFFSETS(offsets_i64, int64_t)
DEFINE_OFFSETS(offsets_u32, uint32_t)

#define DEFINE_DECODE(name, offsets_of, lane_type)                                                                     \
  LINTEL_CLONES                                                                                                        \
  int name(const lintel_binned_stream *stream, size_t count, lane_type *values) {                                      \
    const uint32_t *restrict next = stream->table;                                                                     \
    const uint8_t *restrict codes = stream->codes;                                                                     \
    uint32_t state0 = stream->states[0], state1 = stream->states[1];                                                   \
    uint32_t state2 = stream->states[2], state3 = stream->states[3];                                                   \
    uint64_t position = 0, limit = (uint64_t)stream->code_bytes * 8;                                                   \
    uint64_t offset = 0, offset_limit = (uint64_t)stream->offset_bytes * 8;                                            \
    uint8_t bins[BATCH];                                                                                               \
    for (size_t start = 0; start < count; start += BATCH) {                                                            \
      size_t size = count - start < BATCH ? count - start : BATCH;                                                     \
      size_t i = 0;                                                                                                    \
      for (; i + 4 <= size; i += 4) {                                                                                  \
        uint64_t word = load64(codes + (position >> 3)) >> (position & 7);                                             \
        uint32_t entry0 = next[state0], entry1 = next[state1], entry2 = next[state2], entry3 = next[state3];           \
        unsigned width0, width1, width2, width3;                                                                       \
        STEP(0, 0);                                                                                                    \
        STEP(1, width0);                                                                                               \
        STEP(2, width0 + width1);                                                                                      \
        STEP(3, width0 + width1 + width2);                                                                             \
        bins[i] = (uint8_t)entry0;                                                                                     \
        bins[i + 1] = (uint8_t)entry1;                                                                                 \
        bins[i + 2] = (uint8_t)entry2;                                                                                 \
        bins[i + 3] = (uint8_t)entry3;                                                                                 \
        position += width0 + width1 + width2 + width3;                                                                 \
        if (position > limit) return -1;                                                                               \
      }                                                                                                                \
      if (i < size) {                                                                                                  \
        uint64_t word = load64(codes + (position >> 3)) >> (position & 7);                                             \
        uint32_t *tail[3] = {&state0, &state1, &state2};                                                               \
        for (unsigned lane = 0; i < size; i++, lane++) {                                                               \
          uint32_t entry = next[*tail[lane]];                                                                          \
          unsigned width = entry >> 8 & 0xFF;                                                                          \
          bins[i] = (uint8_t)entry;                                                                                    \
          *tail[lane] = (entry >> 16) + (uint32_t)low_bits(word, width);                                               \
          word >>= width;                                                                                              \
          position += width;                                                                                           \
        }                                                                                                              \
        if (position > limit) return -1;                                                                               \
      }                                                                                                                \
      if (stream->maximum_width == 0) {                                                                                \
        for (size_t j = 0; j < size; j++) values[start + j] = (lane_type)stream->bins[bins[j]].lower;                  \
      } else if (stream->maximum_width > 56) {                                                                         \
        offset = offsets_of(                                                                                           \
          stream->bins, bins, size, stream->offsets, offset, offset_limit, stream->divisor, 1, values + start);        \
      } else if (stream->divisor == 1) {                                                                               \
        offset = offsets_of(stream->bins, bins, size, stream->offsets, offset, offset_limit, 1, 0, values + start);    \
      } else {                                                                                                         \
        offset = offsets_of(                                                                                           \
          stream->bins, bins, size, stream->offsets, offset, offset_limit, stream->divisor, 0, values + start);        \
      }                                                                                                                \
      if (offset == UINT64_MAX) return -1;                                                                             \
    }                                                                                                                  \
    if (state0 | state1 | state2 | state3) return -1;                                                                  \
    return position + 7 >= limit && offset + 7 >= offset_limit ? 0 : -1;                                               \
  }

DEFINE_DECODE(lintel_binned_decode_i64, offsets_i64, int64_t)
DEFINE_DECODE(lintel_binned_decode_u32, offsets_u32, uint32_t)
