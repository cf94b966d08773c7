package bbd.companion.blocks;

import bbd.companion.protocol.BridgeException;
import bbd.companion.protocol.ErrorCode;
import bbd.companion.protocol.Indices;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;

/**
 * The agreed palette of an open disk: indices on the bridge to states of the server, and back. States that are not in it
 * are appended as they are met, for reading only, and told to {@code learned} before anybody can use their index.
 */
public final class Palette {
    public static final int MAX_AGREED = 4096;
    private static final char UNTOLD = 0xFFFF;
    private static final char UNMET = 0xFFFE;

    private final BlockStates states;
    private final char[] stateOf;
    private final char[] indexOf = new char[1 << Character.SIZE];
    private final BiConsumer<Integer, List<BlockState>> learned;
    private int size;

    /** Throws {@link BridgeException} ({@code bad_palette}). */
    public Palette(List<BlockState> agreed, BlockStates states, BiConsumer<Integer, List<BlockState>> learned)
            throws BridgeException {
        this.states = states;
        this.learned = learned;
        this.size = agreed.size();
        this.stateOf = new char[size];
        require(size > 0 && size <= MAX_AGREED, "it has " + size + " entries");
        require(agreed.get(size - 1).name().equals("minecraft:air"), "its last entry must be minecraft:air");
        java.util.Arrays.fill(indexOf, UNMET);
        for (char i = 0; i < size; i++) {
            char number = states.number(agreed.get(i));
            require(number != BlockStates.UNKNOWN, "this server has no " + agreed.get(i));
            require(indexOf[number] == UNMET, agreed.get(i) + " stands in it twice");
            stateOf[i] = number;
            indexOf[number] = i;
        }
        indexOf[BlockStates.UNKNOWN] = UNTOLD;
    }

    /** The numbers of the agreed states. */
    public char[] agreed() {
        return stateOf.clone();
    }

    /** The states of a written section; {@code bad_frame} for an index beyond the agreed palette. */
    public char[] toStates(byte[] section) throws BridgeException {
        char[] numbers = new char[Indices.BLOCKS];
        boolean wide = Indices.isWide(section);
        for (int i = 0; i < numbers.length; i++) {
            int index = wide ? Indices.at(section, i) : section[i] & 0xFF;
            if (index >= stateOf.length) {
                throw new BridgeException(ErrorCode.BAD_FRAME, "index " + index + " is not in the palette");
            }
            numbers[i] = stateOf[index];
        }
        return numbers;
    }

    /** The indices of a section that was read: in {@code narrow}, room for a narrow one, unless it is wide. */
    public byte[] toIndices(char[] numbers, byte[] narrow) {
        int all = 0;
        for (int i = 0; i < Indices.BLOCKS; i++) {
            char index = indexOf[numbers[i]];
            all |= index;
            narrow[i] = (byte) index;
        }
        return all > 0xFF ? wide(numbers) : narrow;
    }

    private byte[] wide(char[] numbers) {
        char[] indices = new char[Indices.BLOCKS];
        for (int i = 0; i < indices.length; i++) {
            indices[i] = indexOf[numbers[i]];
            if (indices[i] == UNMET) {
                learn(numbers);
                indices[i] = indexOf[numbers[i]];
            }
        }
        return Indices.of(indices);
    }

    private synchronized void learn(char[] numbers) {
        List<BlockState> fresh = new ArrayList<>();
        List<Character> met = new ArrayList<>();
        for (char number : numbers) {
            if (indexOf[number] == UNMET && !met.contains(number)) {
                met.add(number);
                fresh.add(states.state(number));
            }
        }
        int room = Math.min(met.size(), UNMET - size);
        if (room > 0) {
            learned.accept(size, fresh.subList(0, room));
        }
        for (char number : met) {
            indexOf[number] = met.indexOf(number) < room ? (char) size++ : UNTOLD;
        }
    }

    private static void require(boolean right, String wrong) throws BridgeException {
        if (!right) {
            throw new BridgeException(ErrorCode.BAD_PALETTE, "the palette can't be used: " + wrong);
        }
    }
}
