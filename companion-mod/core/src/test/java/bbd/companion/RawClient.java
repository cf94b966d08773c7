package bbd.companion;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A client of the bridge whose every websocket frame a test writes, and reads, itself (RFC 6455, 5.2). */
final class RawClient implements AutoCloseable {
    static final int MORE = 0;
    static final int TEXT = 1;
    static final int BINARY = 2;
    static final int CLOSE = 8;
    static final int PING = 9;
    static final int PONG = 10;
    private static final int FIN = 0x80;
    private static final int MASKED = 0x80;
    private static final int SHORT_LENGTH = 126;
    private static final int LONG_LENGTH = 127;
    private static final byte[] MASK = {0x11, 0x7F, (byte) 0xC5, 0x00};

    private final Socket socket;
    private final DataInputStream in;
    private final ByteArrayOutputStream waiting = new ByteArrayOutputStream();
    /** Frames that have come. */
    final List<Frame> came = new ArrayList<>();

    /** A frame as it came. */
    record Frame(boolean last, int kind, byte[] data) {
        boolean isControl() {
            return kind >= CLOSE;
        }

        String text() {
            return new String(data, StandardCharsets.UTF_8);
        }
    }

    /** Shakes hands. */
    RawClient(int port) throws IOException {
        socket = new Socket("127.0.0.1", port);
        socket.setTcpNoDelay(true);
        in = new DataInputStream(new java.io.BufferedInputStream(socket.getInputStream()));
        socket.getOutputStream().write(("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                + "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                + "Sec-WebSocket-Version: 13\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            head.append((char) in.readUnsignedByte());
        }
        if (!head.toString().startsWith("HTTP/1.1 101")) {
            throw new IOException("refused: " + head);
        }
    }

    /** A frame that goes out with the next {@link #flush}. */
    RawClient put(boolean last, int kind, byte... data) {
        waiting.write((last ? FIN : 0) | kind);
        if (data.length < SHORT_LENGTH) {
            waiting.write(MASKED | data.length);
        } else if (data.length <= 0xFFFF) {
            waiting.write(MASKED | SHORT_LENGTH);
            waiting.write(data.length >> 8);
            waiting.write(data.length);
        } else {
            waiting.write(MASKED | LONG_LENGTH);
            for (int shift = 56; shift >= 0; shift -= 8) {
                waiting.write((int) ((long) data.length >> shift));
            }
        }
        waiting.writeBytes(MASK);
        for (int i = 0; i < data.length; i++) {
            waiting.write(data[i] ^ MASK[i % MASK.length]);
        }
        return this;
    }

    /** Sends what was {@link #put}, {@code size} bytes at a time. */
    void flush(int size) throws IOException {
        byte[] all = waiting.toByteArray();
        waiting.reset();
        for (int start = 0; start < all.length; start += size) {
            socket.getOutputStream().write(all, start, Math.min(size, all.length - start));
        }
    }

    void flush() throws IOException {
        flush(Integer.MAX_VALUE);
    }

    /** The next frame. Throws {@link EOFException} where there is none any more. */
    Frame next() throws IOException {
        int first = in.readUnsignedByte();
        long length = in.readUnsignedByte();
        if (length == SHORT_LENGTH) {
            length = in.readUnsignedShort();
        } else if (length == LONG_LENGTH) {
            length = in.readLong();
        }
        byte[] data = new byte[(int) length];
        in.readFully(data);
        Frame frame = new Frame((first & FIN) != 0, first & 0x7F, data);
        came.add(frame);
        return frame;
    }

    /** The frames of the next message; control frames are left out. */
    List<Frame> message() throws IOException {
        List<Frame> frames = new ArrayList<>();
        do {
            Frame frame = next();
            if (!frame.isControl()) {
                frames.add(frame);
            }
        } while (frames.isEmpty() || !frames.getLast().last());
        return frames;
    }

    /** The code with which the companion closes the connection, or 0 where it says none. */
    int closed() throws IOException {
        try {
            while (true) {
                Frame frame = next();
                if (frame.kind() == CLOSE) {
                    return (frame.data()[0] & 0xFF) << 8 | frame.data()[1] & 0xFF;
                }
            }
        } catch (EOFException end) {
            return 0;
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
