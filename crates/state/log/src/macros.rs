//! Logging macros. Category arguments must be constants: `Category::Net`, not a variable.

/// Logs without category at level info.
#[macro_export]
macro_rules! info {
    ($($arg:tt)+) => { $crate::__event!("all", INFO, $($arg)+) };
}

/// Logs without category at level warning.
#[macro_export]
macro_rules! warn {
    ($($arg:tt)+) => { $crate::__event!("all", WARN, $($arg)+) };
}

/// Logs without category at level error.
#[macro_export]
macro_rules! error {
    ($($arg:tt)+) => { $crate::__event!("all", ERROR, $($arg)+) };
}

/// Logs in a category, if it is enabled by `-debug`: `debug!(Category::Net, "text {}", x)`.
#[macro_export]
macro_rules! debug {
    ($category:expr, $($arg:tt)+) => {
        if $crate::enabled($category, $crate::Level::Debug) {
            $crate::__event!($category.name(), DEBUG, $($arg)+)
        }
    };
}

/// As [`debug!`], if the category's level is trace.
#[macro_export]
macro_rules! trace {
    ($category:expr, $($arg:tt)+) => {
        if $crate::enabled($category, $crate::Level::Trace) {
            $crate::__event!($category.name(), TRACE, $($arg)+)
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __event {
    ($target:expr, $level:ident, $($arg:tt)+) => {{
        $crate::install();
        fn __here() {}
        $crate::__private::tracing::event!(
            target: $target,
            $crate::__private::tracing::Level::$level,
            function = ::core::any::type_name_of_val(&__here),
            $($arg)+
        )
    }};
}
