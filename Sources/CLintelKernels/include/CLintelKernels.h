#ifndef LINTEL_KERNELS_H
#define LINTEL_KERNELS_H

// The few loops whose instruction set Swift cannot choose, each with a plain twin in LintelColumns that tests compare it to;
// and calls of the system that Swift cannot make.

#include <stddef.h>
#include <stdint.h>

/// Whether this machine has CRC32C instructions; `lintel_crc32c` may only be called where it has.
int lintel_has_crc32c(void);
/// Extends the CRC32C `seed` (0 to start) by `count` bytes.
uint32_t lintel_crc32c(uint32_t seed, const void *bytes, size_t count);

/// Adds the digests of `count` values to the row accumulators; `validity` (bit i of word i / 64) may be NULL.
void lintel_digest_u64(
  uint64_t *low, uint64_t *high, const uint64_t *values, const uint64_t *validity, size_t count, uint64_t seed);

/// The same for values by code: `table` has the two halves of each code's digest, one behind the other. Rows that are not
/// valid, and codes from `entries` on, add nothing.
void lintel_digest_codes(
  uint64_t *low, uint64_t *high, const uint32_t *codes, const uint64_t *validity, const uint64_t *table, size_t entries,
  size_t count);

/// Smallest and largest of `count` (at least 1) values.
void lintel_bounds_i64(const int64_t *values, size_t count, int64_t *minimum, int64_t *maximum);

/// What choosing an encoding needs to know of a run of values. Deltas are those between neighbours, modulo 2^64.
typedef struct {
  int64_t minimum;
  int64_t maximum;
  int64_t minimum_delta;
  int64_t maximum_delta;
  /// How many values differ from the one before.
  size_t changes;
} lintel_profile;

/// Profiles `count` (at least 1) values.
void lintel_profile_i64(const int64_t *values, size_t count, lintel_profile *profile);
/// Adds to `histogram[w]` how many of the values need `w` bits (0 to 64) above `base`.
void lintel_count_widths(const int64_t *values, size_t count, int64_t base, uint32_t *histogram);

// Packing of 1,024 values less `base`, `width` bits each, low bits first. Up to 32 bits: 32 lanes of 32-bit words, value i
// in lane i % 32; beyond: 16 lanes of 64-bit words, value i in lane i % 16. Word j of lane l is word j * lanes + l.

/// Writes 128 * width bytes; bits above the width are dropped. Width 0 to 64.
void lintel_pack_i64(const int64_t *values, unsigned width, int64_t base, void *packed);
/// Reads 128 * width bytes. Width 0 to 64.
void lintel_unpack_i64(const void *packed, unsigned width, int64_t base, int64_t *values);
/// Reads 128 * width bytes. Width 0 to 32.
void lintel_unpack_u32(const void *packed, unsigned width, uint32_t base, uint32_t *values);
/// Largest of `count` values, 0 of none.
uint32_t lintel_max_u32(const uint32_t *values, size_t count);

// Queries. `valid` has a byte 0 or 1 for each value, or is NULL; so have `flags`.

/// `values` at `rows`, each of which is a place in them.
void lintel_gather_u8(const uint8_t *values, const uint32_t *rows, size_t count, uint8_t *out);
void lintel_gather_u32(const uint32_t *values, const uint32_t *rows, size_t count, uint32_t *out);
void lintel_gather_u64(const uint64_t *values, const uint32_t *rows, size_t count, uint64_t *out);

/// The sum of the valid values: high * 2^32 + low. `count` below 2^31.
void lintel_sum_i64(const int64_t *values, const uint8_t *valid, size_t count, int64_t *high, uint64_t *low);
/// How many tables of so many groups take turns in the next three.
size_t lintel_group_turns(size_t group_count);
/// Adds the valid values of each group, and how many they are, to as many tables of `group_count` cells each as take turns, a
/// row each. No table gets more rows than its share and one less than there are tables. Groups are below `group_count`,
/// `count` below 2^32.
void lintel_group_sum_i64(
  const int64_t *values, const uint8_t *valid, const uint32_t *groups, size_t count, size_t group_count, int64_t *sums,
  uint32_t *counts);
/// The same where a cell has room for both: sums modulo 2^shift in its low bits, above them how many values it took.
void lintel_group_sum_packed_i64(
  const int64_t *values, const uint8_t *valid, const uint32_t *groups, size_t count, size_t group_count, unsigned shift,
  uint64_t *cells);
void lintel_group_count(
  const uint8_t *valid, const uint32_t *groups, size_t count, size_t group_count, uint32_t *counts);
/// Of each run the sum of the valid values, modulo 2^64, and how many they are. `starts` ascends; a run ends where the next
/// begins, the last at `count`, which is below 2^32.
void lintel_run_sums_i64(
  const int64_t *values, const uint8_t *valid, const uint32_t *starts, size_t runs, size_t count, int64_t *sums,
  uint32_t *counts);
/// Of each run how many are valid; `valid` isn't NULL.
void lintel_run_counts(const uint8_t *valid, const uint32_t *starts, size_t runs, size_t count, uint32_t *counts);
/// Of each run the least of the valid values' bits after XOR with `flip`; all ones of none.
void lintel_run_least_u64(
  const int64_t *values, const uint8_t *valid, const uint32_t *starts, size_t runs, size_t count, uint64_t flip,
  uint64_t *least);
/// How many flags are 1.
uint64_t lintel_count_flags(const uint8_t *flags, size_t count);
/// The least of the valid values' bits after XOR with `flip`; all ones of none.
uint64_t lintel_min_flipped_u64(const int64_t *values, const uint8_t *valid, size_t count, uint64_t flip);
/// The OR of each value's bits, those of negative values inverted.
uint64_t lintel_magnitude_i64(const int64_t *values, size_t count);
/// value R constant; relations 0 to 5 are = <> < <= > >=.
void lintel_compare_i64(const int64_t *values, size_t count, int64_t constant, int relation, uint8_t *flags);
void lintel_equal_u32(const uint32_t *values, size_t count, uint32_t constant, uint8_t *flags);
/// low <= value <= low + span, modulo the lane's width.
void lintel_between_u32(const uint32_t *values, size_t count, uint32_t low, uint32_t span, uint8_t *flags);
void lintel_between_i64(const int64_t *values, size_t count, int64_t low, uint64_t span, uint8_t *flags);
/// The entry of each code; 0 where one is past `last`.
void lintel_entry_u32(const uint32_t *codes, size_t count, const uint8_t *entries, uint32_t last, uint8_t *flags);
/// Bit `code` of `members`; the bit `last` (at most 63) where a value isn't valid or past it.
void lintel_member_u32(
  const uint32_t *codes, const uint8_t *valid, size_t count, uint64_t members, uint32_t last, uint8_t *flags);
/// Bit `code` for each of the codes, which are below 64.
uint64_t lintel_members_u32(const uint32_t *codes, size_t count);
/// Sets the flag of each lane but the first that differs from the one before; lanes are 1, 4, 8 or 16 bytes wide.
void lintel_mark_changes(const void *lanes, size_t count, size_t stride, uint8_t *flags);
/// The codes, with `last` where one isn't valid or past it.
void lintel_clamp_u32(const uint32_t *codes, const uint8_t *valid, size_t count, uint32_t last, uint32_t *out);
/// base + width * floor((time - base) / width) of times kept between base and limit, less than 2^51 apart. `inverse` is
/// 1.0 / width.
void lintel_time_bucket(
  const int64_t *times, size_t count, int64_t base, int64_t limit, int64_t width, double inverse, int64_t *out);
/// Positions where flag and valid are 1, ascending; how many. `rows` has room for `count` + 16.
size_t lintel_select(const uint8_t *flags, const uint8_t *valid, size_t count, uint32_t *rows);
/// The same for valid as bits (or NULL), `first` added to the positions.
size_t lintel_select_words(
  const uint8_t *flags, const uint64_t *valid, size_t count, uint32_t first, uint32_t *rows);

// Binned integers: the bins' numbers through tANS with four states, value i in state i % 4, and offsets into the bins.

/// In encoding `lower` is in units of the divisor; in decoding it is the value that offset 0 stands for.
typedef struct {
  uint64_t lower;
  uint64_t width;
} lintel_bin;

/// A bin's part in the state machine: from state X (size to 2 * size) its `(X + delta_width) >> 16` low bits are written,
/// and what is left of X, plus `delta_state`, numbers the next state.
typedef struct {
  uint32_t delta_width;
  int32_t delta_state;
} lintel_tans_symbol;

/// What decoding needs. Eight bytes behind the codes and behind the offsets must be readable.
typedef struct {
  /// A state's bin, the width of the bits to read << 8, and what to add to them << 16.
  const uint32_t *table;
  const lintel_bin *bins;
  /// The widest of the bins.
  uint64_t maximum_width;
  /// Offsets are multiplied by it.
  uint64_t divisor;
  const uint8_t *codes;
  size_t code_bytes;
  const uint8_t *offsets;
  size_t offset_bytes;
  uint16_t states[4];
} lintel_binned_stream;

/// (value - base) / divisor of values that the divisor divides, given as the inverse of its odd part modulo 2^64 and its
/// trailing zeros; the largest quotient. One above UINT64_MAX / divisor shows that the divisor doesn't divide all.
uint64_t lintel_binned_quotients(
  const int64_t *values, size_t count, int64_t base, uint64_t inverse, unsigned shift, uint64_t *quotients);
/// The last of 2^steps ascending `lowers`, the first of them 0, that doesn't exceed each value.
void lintel_binned_search(
  const uint64_t *values, size_t count, const uint64_t *lowers, unsigned steps, uint16_t *bins);
/// Writes the bins' codes and the four states decoding starts from; bytes written. `emitted` has room for `count`, `out`
/// for 12 bits each and 8 bytes more.
size_t lintel_tans_encode(
  const uint8_t *bins, size_t count, const lintel_tans_symbol *symbols, const uint16_t *next, unsigned log,
  uint32_t *emitted, uint8_t *out, uint16_t *states);
/// Writes each value's offset into its bin; bytes written. `out` has room for them and 8 bytes more.
size_t lintel_binned_write_offsets(
  const uint64_t *values, const uint8_t *bins, size_t count, const lintel_bin *table, uint8_t *out);
/// Decodes `count` values; 0, or -1 where the stream isn't that of so many values.
int lintel_binned_decode_i64(const lintel_binned_stream *stream, size_t count, int64_t *values);
/// The same modulo 2^32.
int lintel_binned_decode_u32(const lintel_binned_stream *stream, size_t count, uint32_t *values);

// Strings written from templates: literal pieces, and digits of numbers.

enum {
  LINTEL_PIECE_LITERAL = 0,
  LINTEL_PIECE_LOWER_HEX = 1,
  LINTEL_PIECE_UPPER_HEX = 2,
  /// Without leading zeros.
  LINTEL_PIECE_DECIMAL = 3,
  LINTEL_PIECE_FIXED_DECIMAL = 4,
};

typedef struct {
  uint32_t kind;
  /// Bytes of the literal, or digits: to 16 hexadecimal ones, to 18 decimal ones.
  uint32_t length;
  /// Readable to the next multiple of 16 bytes.
  const uint8_t *literal;
  /// One a row of the template; decimal ones are below 10 to the power of their digits.
  int64_t *numbers;
} lintel_piece;

typedef struct {
  const lintel_piece *pieces;
  size_t count;
  /// Rows written or parsed so far.
  size_t rows;
} lintel_template;

/// Adds to each length the digits of a number; -1 where one isn't below 10^18.
int lintel_decimal_lengths(const int64_t *numbers, size_t count, uint32_t *lengths);
/// Writes `count` strings, and may touch 16 bytes behind them. `which` says a row's template, or `template_count` for a
/// row of `lengths[row]` bytes out of `exceptions`; NULL where all rows are of the one template.
void lintel_write_templates(
  lintel_template *templates, const uint32_t *which, size_t count, const uint8_t *exceptions, const uint32_t *lengths,
  uint32_t template_count, uint8_t *out);
/// Whether the string is one of the template; its numbers are those of the template's next row, then.
int lintel_parse_string(const lintel_template *template, const uint8_t *string, size_t length);
/// The first of the templates (at least one) that each string is one of, `template_count` where there is none; one that
/// fits the string before is asked first. `numbers` have room for all rows and one more.
void lintel_parse_strings(
  lintel_template *templates, uint32_t template_count, const uint8_t *bytes, const uint32_t *lengths, size_t count,
  int64_t *which);

/// Has memory that is about to be used brought into the cache; any address will do.
static inline void lintel_prefetch(const void *address) { __builtin_prefetch(address); }

/// Maps `bytes` of zeros at a multiple of `alignment`, a power of two; both are multiples of the page size. NULL where there
/// is no room.
void *lintel_map_pages(size_t bytes, size_t alignment);
/// Moves what `lintel_map_pages` mapped to a place with room for more, by its pages: nothing is copied where the system can
/// do so. NULL where there is no room: then it is where it was.
void *lintel_move_pages(void *old, size_t old_bytes, size_t new_bytes, size_t alignment);

/// Whether `needle` (at least one byte) occurs in `bytes`: the C library's memmem, which Swift's modules of it leave out.
int lintel_holds(const void *bytes, size_t count, const void *needle, size_t needle_count);

#endif
