#include "CLintelKernels.h"
#include <string.h>

// Each of the low 32 bits' digits in a byte of its own, the highest in the first byte.
static inline uint64_t spread_digits(uint64_t half) {
  uint64_t x = (half << 16 | half) & 0x0000FFFF0000FFFF;
  x = (x << 8 | x) & 0x00FF00FF00FF00FF;
  x = (x << 4 | x) & 0x0F0F0F0F0F0F0F0F;
  return __builtin_bswap64(x);
}

// From digits to characters; `letter` is what lies between '9' and the character for ten.
static inline uint64_t digit_characters(uint64_t digits, uint64_t letter) {
  uint64_t above = (digits + 0x0606060606060606) >> 4 & 0x0101010101010101;
  return digits + 0x3030303030303030 + above * letter;
}

// Writes 16 bytes, of which the first `digits` count.
static inline void write_hex(uint64_t number, unsigned digits, uint64_t letter, uint8_t *out) {
  uint64_t aligned = number << (64 - 4 * digits);
  uint64_t high = digit_characters(spread_digits(aligned >> 32), letter);
  uint64_t low = digit_characters(spread_digits(aligned & 0xFFFFFFFF), letter);
  memcpy(out, &high, 8);
  memcpy(out + 8, &low, 8);
}

static const uint64_t powers[19] = {
  1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000, 100000000000, 1000000000000,
  10000000000000, 100000000000000, 1000000000000000, 10000000000000000, 100000000000000000, 1000000000000000000};

static inline unsigned decimal_digits(uint64_t number) {
  unsigned bits = 64 - (unsigned)__builtin_clzll(number | 1);
  unsigned guess = bits * 1233 >> 12;
  return guess + (number >= powers[guess]) + (number == 0);
}

static inline void write_decimal(uint64_t number, unsigned digits, uint8_t *out) {
  while (digits >= 9) {
    // Dividing halves shortens the chain of divisions.
    uint64_t rest = number % 100000000;
    number /= 100000000;
    for (unsigned i = 0; i < 8; i++) {
      out[digits - 1 - i] = (uint8_t)('0' + rest % 10);
      rest /= 10;
    }
    digits -= 8;
  }
  uint32_t rest = (uint32_t)number;
  while (digits > 0) {
    digits -= 1;
    out[digits] = (uint8_t)('0' + rest % 10);
    rest /= 10;
  }
}

int lintel_decimal_lengths(const int64_t *numbers, size_t count, uint32_t *lengths) {
  for (size_t i = 0; i < count; i++) {
    if ((uint64_t)numbers[i] >= powers[18]) return -1;
    lengths[i] += decimal_digits((uint64_t)numbers[i]);
  }
  return 0;
}

static inline uint8_t *write_row(const lintel_template *template, size_t row, uint8_t *out) {
  for (size_t i = 0; i < template->count; i++) {
    const lintel_piece *piece = template->pieces + i;
    switch (piece->kind) {
      case LINTEL_PIECE_LITERAL:
        for (uint32_t done = 0; done < piece->length; done += 16) memcpy(out + done, piece->literal + done, 16);
        out += piece->length;
        break;
      case LINTEL_PIECE_LOWER_HEX:
        write_hex((uint64_t)piece->numbers[row], piece->length, 'a' - '9' - 1, out);
        out += piece->length;
        break;
      case LINTEL_PIECE_UPPER_HEX:
        write_hex((uint64_t)piece->numbers[row], piece->length, 'A' - '9' - 1, out);
        out += piece->length;
        break;
      case LINTEL_PIECE_DECIMAL: {
        unsigned digits = decimal_digits((uint64_t)piece->numbers[row]);
        write_decimal((uint64_t)piece->numbers[row], digits, out);
        out += digits;
        break;
      }
      default:
        write_decimal((uint64_t)piece->numbers[row], piece->length, out);
        out += piece->length;
    }
  }
  return out;
}

void lintel_write_templates(
  lintel_template *templates, const uint32_t *which, size_t count, const uint8_t *exceptions, const uint32_t *lengths,
  uint32_t template_count, uint8_t *out) {
  if (template_count == 1 && which == NULL) {
    for (size_t row = 0; row < count; row++) out = write_row(templates, row, out);
    return;
  }
  for (size_t row = 0; row < count; row++) {
    uint32_t number = which[row];
    if (number < template_count) {
      out = write_row(templates + number, templates[number].rows++, out);
    } else {
      memcpy(out, exceptions, lengths[row]);
      exceptions += lengths[row];
      out += lengths[row];
    }
  }
}
