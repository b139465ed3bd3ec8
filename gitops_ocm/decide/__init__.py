"""Every judgement this system makes, as pure functions of (view, key, now)."""
