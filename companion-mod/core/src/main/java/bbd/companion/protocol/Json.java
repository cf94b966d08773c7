package bbd.companion.protocol;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * JSON (RFC 8259) as the bridge uses it: strict, no key twice, at most 32 levels deep. Values are {@code Map},
 * {@code List}, {@code String}, {@code Long} or {@code Double}, {@code Boolean} and null.
 */
public final class Json {
    private static final int MAX_DEPTH = 32;
    private static final int MAX_NUMBER = 64;
    private final String text;
    private int at;

    private Json(String text) {
        this.text = text;
    }

    /** The one value that {@code text} holds. Throws {@link IllegalArgumentException} for anything else. */
    public static Object parse(String text) {
        Json parser = new Json(text);
        Object value = parser.value(0);
        parser.space();
        if (parser.at < text.length()) {
            throw parser.wrong("something follows the value");
        }
        return value;
    }

    /** The value as text. Throws {@link IllegalArgumentException} for what JSON can't say. */
    public static String write(Object value) {
        StringBuilder out = new StringBuilder();
        append(out, value);
        return out.toString();
    }

    private Object value(int depth) {
        if (depth > MAX_DEPTH) {
            throw wrong("it is too deep");
        }
        space();
        return switch (peek()) {
            case '{' -> object(depth);
            case '[' -> array(depth);
            case '"' -> string();
            case 't' -> word("true", Boolean.TRUE);
            case 'f' -> word("false", Boolean.FALSE);
            case 'n' -> word("null", null);
            default -> number();
        };
    }

    private Map<String, Object> object(int depth) {
        Map<String, Object> found = new LinkedHashMap<>();
        at++;
        space();
        if (skipped('}')) {
            return found;
        }
        do {
            space();
            if (peek() != '"') {
                throw wrong("a key is expected");
            }
            String key = string();
            if (found.containsKey(key)) {
                throw wrong("a key stands twice");
            }
            space();
            expect(':');
            found.put(key, value(depth + 1));
            space();
        } while (skipped(','));
        expect('}');
        return found;
    }

    private List<Object> array(int depth) {
        List<Object> found = new ArrayList<>();
        at++;
        space();
        if (skipped(']')) {
            return found;
        }
        do {
            found.add(value(depth + 1));
            space();
        } while (skipped(','));
        expect(']');
        return found;
    }

    private String string() {
        at++;
        int start = at;
        while (peek() != '"') {
            if (peek() == '\\') {
                return escaped(start);
            }
            plain(peek());
            at++;
        }
        return text.substring(start, at++);
    }

    private String escaped(int start) {
        StringBuilder out = new StringBuilder(text.substring(start, at));
        while (peek() != '"') {
            char c = text.charAt(at++);
            if (c == '\\') {
                out.append(escape());
            } else {
                out.append(plain(c));
            }
        }
        at++;
        return out.toString();
    }

    private char plain(char c) {
        if (c < ' ') {
            throw wrong("a string has a control character");
        }
        return c;
    }

    private char escape() {
        char c = peek();
        at++;
        return switch (c) {
            case '"', '\\', '/' -> c;
            case 'b' -> '\b';
            case 'f' -> '\f';
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'u' -> unicode();
            default -> throw wrong("a string has an unknown escape");
        };
    }

    private char unicode() {
        int code = 0;
        for (int i = 0; i < 4; i++) {
            char c = peek();
            int digit = c < 0x80 ? Character.digit(c, 16) : -1;
            if (digit < 0) {
                throw wrong("a string has a broken escape");
            }
            at++;
            code = code << 4 | digit;
        }
        return (char) code;
    }

    private Object number() {
        int start = at;
        skipped('-');
        if (!skipped('0')) {
            digits();
        }
        boolean whole = true;
        if (skipped('.')) {
            whole = false;
            digits();
        }
        if (skipped('e') || skipped('E')) {
            whole = false;
            if (!skipped('+')) {
                skipped('-');
            }
            digits();
        }
        if (at - start > MAX_NUMBER) {
            throw wrong("a number is too long");
        }
        String digits = text.substring(start, at);
        return whole ? (Object) Long.valueOf(digits) : finite(Double.parseDouble(digits));
    }

    private Double finite(double number) {
        if (Double.isInfinite(number)) {
            throw wrong("a number is too large");
        }
        return number;
    }

    private void digits() {
        int start = at;
        while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
            at++;
        }
        if (at == start) {
            throw wrong("a value is expected");
        }
    }

    private Object word(String word, Object value) {
        if (!text.startsWith(word, at)) {
            throw wrong("a value is expected");
        }
        at += word.length();
        return value;
    }

    private void space() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    private char peek() {
        if (at >= text.length()) {
            throw wrong("it ends too early");
        }
        return text.charAt(at);
    }

    private boolean skipped(char c) {
        boolean there = at < text.length() && text.charAt(at) == c;
        if (there) {
            at++;
        }
        return there;
    }

    private void expect(char c) {
        if (!skipped(c)) {
            throw wrong("'" + c + "' is expected");
        }
    }

    private IllegalArgumentException wrong(String why) {
        return new IllegalArgumentException(why + " (at " + at + ")");
    }

    private static void append(StringBuilder out, Object value) {
        switch (value) {
            case null -> out.append("null");
            case Boolean b -> out.append(b);
            case Integer i -> out.append(i);
            case Long l -> out.append(l);
            case Double d when !d.isNaN() && !d.isInfinite() -> out.append(d);
            case String s -> quote(out, s);
            case Map<?, ?> map -> appendObject(out, map);
            case List<?> list -> appendArray(out, list);
            default -> throw new IllegalArgumentException("JSON has no " + value);
        }
    }

    private static void appendObject(StringBuilder out, Map<?, ?> map) {
        char before = '{';
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            out.append(before);
            quote(out, (String) entry.getKey());
            out.append(':');
            append(out, entry.getValue());
            before = ',';
        }
        out.append(before == '{' ? "{}" : "}");
    }

    private static void appendArray(StringBuilder out, List<?> list) {
        char before = '[';
        for (Object item : list) {
            out.append(before);
            append(out, item);
            before = ',';
        }
        out.append(before == '[' ? "[]" : "]");
    }

    private static void quote(StringBuilder out, String text) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < ' ' || Character.isSurrogate(c)) {
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        out.append('"');
    }
}
