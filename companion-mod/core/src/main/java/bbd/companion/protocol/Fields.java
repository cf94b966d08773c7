package bbd.companion.protocol;

import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A JSON object with what a request must say: everything missing or wrong is {@code bad_request}. */
public record Fields(Map<String, Object> values) {

    /** The object in a text frame; {@code bad_frame} for anything else. */
    public static Fields parse(String text) throws BridgeException {
        try {
            if (Json.parse(text) instanceof Map<?, ?> map) {
                return of(map);
            }
        } catch (IllegalArgumentException error) {
            throw new BridgeException(ErrorCode.BAD_FRAME, "a text frame is no JSON: " + error.getMessage());
        }
        throw new BridgeException(ErrorCode.BAD_FRAME, "a text frame is no JSON object");
    }

    @SuppressWarnings("unchecked")
    private static Fields of(Map<?, ?> map) {
        return new Fields((Map<String, Object>) map);
    }

    public boolean has(String key) {
        return values.get(key) != null;
    }

    public String text(String key) throws BridgeException {
        return values.get(key) instanceof String text ? text : wrong(key, "a text");
    }

    public String text(String key, String absent) throws BridgeException {
        return has(key) ? text(key) : absent;
    }

    public long number(String key, long least, long most) throws BridgeException {
        return within(key, values.get(key), least, most);
    }

    public boolean flag(String key) throws BridgeException {
        Object value = values.get(key);
        return value != null && (value instanceof Boolean flag ? flag : this.<Boolean>wrong(key, "true or false"));
    }

    public byte[] bytes(String key) throws BridgeException {
        try {
            return Base64.getDecoder().decode(text(key));
        } catch (IllegalArgumentException error) {
            return wrong(key, "base64");
        }
    }

    public Fields object(String key) throws BridgeException {
        return values.get(key) instanceof Map<?, ?> map ? of(map) : wrong(key, "an object");
    }

    public List<?> list(String key) throws BridgeException {
        return values.get(key) instanceof List<?> list ? list : wrong(key, "a list");
    }

    public List<Fields> objects(String key) throws BridgeException {
        List<Fields> found = new ArrayList<>();
        for (Object item : list(key)) {
            found.add(item instanceof Map<?, ?> map ? of(map) : wrong(key, "a list of objects"));
        }
        return found;
    }

    /** Lists of {@code size} whole numbers of 32 bits. */
    public List<int[]> tuples(String key, int size) throws BridgeException {
        List<int[]> found = new ArrayList<>();
        for (Object item : list(key)) {
            if (!(item instanceof List<?> list) || list.size() != size) {
                return wrong(key, "a list of lists of " + size + " numbers");
            }
            int[] tuple = new int[size];
            for (int i = 0; i < size; i++) {
                tuple[i] = (int) within(key, list.get(i), Integer.MIN_VALUE, Integer.MAX_VALUE);
            }
            found.add(tuple);
        }
        return found;
    }

    /** An object of texts; none where the key is absent. */
    public Map<String, String> texts(String key) throws BridgeException {
        Map<String, String> found = new TreeMap<>();
        if (has(key)) {
            for (Map.Entry<String, Object> entry : object(key).values.entrySet()) {
                found.put(entry.getKey(),
                        entry.getValue() instanceof String text ? text : wrong(key, "an object of texts"));
            }
        }
        return found;
    }

    private long within(String key, Object value, long least, long most) throws BridgeException {
        if (!(value instanceof Long number) || number < least || number > most) {
            return this.<Long>wrong(key, "a whole number from " + least + " to " + most);
        }
        return number;
    }

    private <T> T wrong(String key, String expected) throws BridgeException {
        throw new BridgeException(ErrorCode.BAD_REQUEST, "'" + key + "' must be " + expected);
    }
}
