package bbd.companion.paper;

import java.util.ArrayList;
import java.util.List;
import org.bukkit.event.Cancellable;
import org.bukkit.event.Event;
import org.bukkit.event.EventException;
import org.bukkit.event.EventPriority;
import org.bukkit.event.HandlerList;
import org.bukkit.event.Listener;
import org.bukkit.plugin.EventExecutor;
import org.bukkit.plugin.Plugin;
import org.bukkit.plugin.PluginManager;
import org.bukkit.plugin.java.JavaPlugin;

/** Calls events as the server does: by the list that an event's class shares with its subclasses, in order of priority. */
final class FakeManager implements PluginManager {
    final List<Registration> all = new ArrayList<>();

    record Registration(Class<? extends Event> type, HandlerList list, Listener listener, EventPriority priority,
            EventExecutor executor, boolean ignoreCancelled) {}

    @Override
    public void registerEvent(Class<? extends Event> event, Listener listener, EventPriority priority,
            EventExecutor executor, Plugin plugin, boolean ignoreCancelled) {
        all.add(new Registration(event, list(event), listener, priority, executor, ignoreCancelled));
    }

    private static HandlerList list(Class<?> type) {
        for (Class<?> one = type; one != null; one = one.getSuperclass()) {
            try {
                return (HandlerList) one.getDeclaredMethod("getHandlerList").invoke(null);
            } catch (NoSuchMethodException error) {
                // The one above has it.
            } catch (ReflectiveOperationException error) {
                throw new AssertionError(error);
            }
        }
        throw new AssertionError(type + " can't be listened to");
    }

    <E extends Event> E call(E event) {
        for (EventPriority priority : EventPriority.values()) {
            for (Registration one : all) {
                boolean ignored = one.ignoreCancelled && event instanceof Cancellable whole && whole.isCancelled();
                if (one.priority == priority && one.list == event.getHandlers() && !ignored) {
                    try {
                        one.executor.execute(one.listener, event);
                    } catch (EventException error) {
                        throw new AssertionError(error);
                    }
                }
            }
        }
        return event;
    }

    @Override
    public void disablePlugin(Plugin plugin) {
        ((JavaPlugin) plugin).setEnabled(false);
    }
}
