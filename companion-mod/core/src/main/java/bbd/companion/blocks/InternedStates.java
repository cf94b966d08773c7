package bbd.companion.blocks;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Numbers for the states of a server that has none of its own, given as they are met. {@code resolver} makes the whole
 * state of one that is partly told (the server's defaults), or null for a block that the server does not know.
 */
public final class InternedStates implements BlockStates {
    private final java.util.function.UnaryOperator<BlockState> resolver;
    private final Map<BlockState, Character> numbers = new HashMap<>();
    private final List<BlockState> states = new ArrayList<>(List.of(BlockState.AIR));

    public InternedStates(java.util.function.UnaryOperator<BlockState> resolver) {
        this.resolver = resolver;
        numbers.put(BlockState.AIR, (char) 0);
    }

    @Override
    public synchronized char number(BlockState state) {
        Character known = numbers.get(state);
        if (known == null) {
            known = state.isAir() ? (char) 0 : intern(resolver.apply(state));
            // States come from worlds, too: what can't be numbered need not be remembered without end.
            if (numbers.size() < 4 * UNKNOWN) {
                numbers.put(state, known);
            }
        }
        return known;
    }

    private char intern(BlockState whole) {
        if (whole == null) {
            return UNKNOWN;
        }
        Character known = numbers.get(whole);
        if (known != null) {
            return known;
        }
        if (states.size() == UNKNOWN) {
            return UNKNOWN;
        }
        char number = (char) states.size();
        states.add(whole);
        numbers.put(whole, number);
        return number;
    }

    @Override
    public synchronized BlockState state(char number) {
        return number < states.size() ? states.get(number) : null;
    }

    @Override
    public char air() {
        return 0;
    }
}
