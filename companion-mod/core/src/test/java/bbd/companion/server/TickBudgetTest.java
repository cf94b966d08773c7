package bbd.companion.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class TickBudgetTest {
    private final TickBudget budget = new TickBudget(25);

    private void ticks(int count, double others) {
        for (int i = 0; i < count; i++) {
            double own = budget.next();
            budget.used(own);
            budget.ticked(own + others);
        }
    }

    @Test
    void anIdleServerGivesWhatTheOperatorAllows() {
        ticks(50, 3);
        assertEquals(25, budget.next());
    }

    @Test
    void aBusyServerIsLeftAloneAtOnceAndTrustedSlowly() {
        ticks(50, 3);
        ticks(1, 18);
        assertEquals(12, budget.next(), 0.01);
        ticks(1, 3);
        assertTrue(budget.next() < 16, "still careful");
        ticks(50, 3);
        assertEquals(25, budget.next());
    }

    @Test
    void somethingIsAlwaysDone() {
        ticks(50, 200);
        assertEquals(1, budget.next());
        assertTrue(budget.p95() > 200);
        assertTrue(budget.mean() > 200);
    }
}
