package bbd.companion;

import bbd.companion.protocol.Json;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/** The files of test vectors, which other languages read as well. */
public final class Vectors {
    private Vectors() {}

    @SuppressWarnings("unchecked")
    public static List<Map<String, Object>> bridge(String name) throws IOException {
        return (List<Map<String, Object>>) Json.parse(Files.readString(Path.of("..", "vectors", name)));
    }

    @SuppressWarnings("unchecked")
    public static Map<String, Object> format() throws IOException {
        return (Map<String, Object>) Json.parse(Files.readString(Path.of("..", "..", "tests", "vectors",
                "format1.json")));
    }

    /** The bytes of a frame that is written in pieces. */
    public static ByteBuffer bytes(Object pieces) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (Object piece : (List<?>) pieces) {
            boolean once = piece instanceof String;
            byte[] bytes = HexFormat.of().parseHex(once ? (String) piece : (String) ((List<?>) piece).get(0));
            long times = once ? 1 : (Long) ((List<?>) piece).get(1);
            for (long i = 0; i < times; i++) {
                out.writeBytes(bytes);
            }
        }
        return ByteBuffer.wrap(out.toByteArray());
    }
}
