/* Undo the filters of a PNG's rows in place, as the limit of what a decoder can do; see decode_limit.py. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* rows of 1 + width bytes: the filter, and the bytes of the row; the row before the first one is zero. */
int unfilter(uint8_t *raw, size_t rows, size_t width) {
    uint8_t *zero = calloc(width, 1);
    const uint8_t *above = zero;
    if (!zero)
        return 1;
    for (size_t y = 0; y < rows; y++) {
        uint8_t kind = *raw++;
        uint8_t left = 0, corner = 0;
        if (kind > 4) {
            free(zero);
            return 1;
        }
        if (kind == 1) {
            for (size_t x = 0; x < width; x++)
                raw[x] = left = (uint8_t)(raw[x] + left);
        } else if (kind == 2) {
            for (size_t x = 0; x < width; x++)
                raw[x] = (uint8_t)(raw[x] + above[x]);
        } else if (kind == 3) {
            for (size_t x = 0; x < width; x++)
                raw[x] = left = (uint8_t)(raw[x] + ((left + above[x]) >> 1));
        } else if (kind == 4) {
            for (size_t x = 0; x < width; x++) {
                int a = left, b = above[x], c = corner;
                int pa = abs(b - c), pb = abs(a - c), pc = abs(a + b - 2 * c);
                int nearest = pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
                corner = above[x];
                raw[x] = left = (uint8_t)(raw[x] + nearest);
            }
        }
        above = raw;
        raw += width;
    }
    free(zero);
    return 0;
}
