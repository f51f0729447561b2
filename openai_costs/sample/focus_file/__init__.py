"""The sample company on the bills of Azure and Google: what it spends there, as FOCUS exports."""
