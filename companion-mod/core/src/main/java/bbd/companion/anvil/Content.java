package bbd.companion.anvil;

/**
 * What a chunk holds: the first {@code size} bytes of {@code data}. It may be memory that the thread uses again for the
 * next chunk that it inflates, so it is for looking at, not for keeping.
 */
record Content(byte[] data, int size) {
    static Content of(byte[] data) {
        return new Content(data, data.length);
    }

    byte[] kept() {
        return java.util.Arrays.copyOf(data, size);
    }
}
