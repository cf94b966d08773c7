package bbd.companion.disk;

import bbd.companion.protocol.BridgeException;
import bbd.companion.protocol.ErrorCode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Disks that somebody wants to make through the bridge, and those that an operator has allowed. Any thread may call. */
public final class Approvals {
    private static final int MAX_ASKED = 16;
    private final Map<String, Descriptor> asked = new LinkedHashMap<>();
    private final Map<String, Descriptor> approved = new LinkedHashMap<>();

    /** Throws {@link BridgeException} ({@code approval_needed}) unless this very disk, size and place, is approved. */
    public synchronized void require(Descriptor wanted) throws BridgeException {
        Descriptor known = approved.get(wanted.name());
        if (known != null && known.size() == wanted.size() && known.dimension().equals(wanted.dimension())
                && known.geometry().equals(wanted.geometry())) {
            return;
        }
        if (asked.size() < MAX_ASKED || asked.containsKey(wanted.name())) {
            asked.put(wanted.name(), wanted);
        }
        throw new BridgeException(ErrorCode.APPROVAL_NEEDED,
                "an operator must allow it first, in the game or at the console: /bbd approve " + wanted.name());
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
}
