package bbd.companion.disk;

import bbd.companion.protocol.BridgeException;
import bbd.companion.protocol.ErrorCode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** Disks that somebody wants to make or enlarge through the bridge, and those that an operator has allowed. Any thread may call. */
public final class Approvals {
    private static final int MAX_ASKED = 16;
    private final Map<String, Descriptor> asked = new LinkedHashMap<>();
    private final Map<String, Descriptor> approved = new LinkedHashMap<>();
    private volatile Consumer<Descriptor> listener = wanted -> {};

    /** {@code told} of every disk that is asked for and not yet allowed, once; any thread calls it. */
    public void listen(Consumer<Descriptor> told) {
        listener = told;
    }

    /** Throws {@link BridgeException} ({@code approval_needed}) unless this very disk, size and place, is approved. */
    public void require(Descriptor wanted) throws BridgeException {
        boolean fresh;
        synchronized (this) {
            if (isSame(approved.get(wanted.name()), wanted)) {
                return;
            }
            fresh = !isSame(asked.get(wanted.name()), wanted)
                    && (asked.size() < MAX_ASKED || asked.containsKey(wanted.name()));
            if (fresh) {
                asked.put(wanted.name(), wanted);
            }
        }
        if (fresh) {
            listener.accept(wanted);
        }
        throw new BridgeException(ErrorCode.APPROVAL_NEEDED,
                "an operator must allow it first, in the game or at the console: /bbd approve " + wanted.name());
    }

    private static boolean isSame(Descriptor known, Descriptor wanted) {
        return known != null && known.size() == wanted.size() && known.dimension().equals(wanted.dimension())
                && known.geometry().equals(wanted.geometry()) && known.parity() == wanted.parity();
    }

    /** Those that wait for an operator's word. */
    public synchronized List<Descriptor> waiting() {
        return List.copyOf(asked.values());
    }

    /** Allows what was last asked for under a name; nothing where nobody asked. */
    public synchronized Optional<Descriptor> approve(String name) {
        Descriptor wanted = asked.remove(name);
        if (wanted != null) {
            approved.put(name, wanted);
        }
        return Optional.ofNullable(wanted);
    }

    /** Forgets what was asked for or allowed under a name; nothing where neither was. */
    public synchronized Optional<Descriptor> deny(String name) {
        Descriptor before = approved.remove(name);
        Descriptor wanted = asked.remove(name);
        return Optional.ofNullable(wanted == null ? before : wanted);
    }
}
